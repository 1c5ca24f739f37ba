import { SpiffeError } from '../errors.ts';
import { requirePath, requireSegment } from './path.ts';
import { requireIdLength, splitId } from './split.ts';
import { TrustDomain } from './trust-domain.ts';

/**
 * A SPIFFE ID (SPIFFE-ID section 2). A value of this class is always valid, and its text is exactly the text it was parsed
 * from: nothing is folded, decoded or resolved, so equality is equality of strings.
 */
export class SpiffeId {
  readonly trustDomain: TrustDomain;
  /** Empty for the ID of a trust domain, otherwise it begins with a slash. */
  readonly path: string;

  private constructor(trustDomain: TrustDomain, path: string) {
    this.trustDomain = trustDomain;
    this.path = path;
  }

  /**
   * Parses `spiffe://trust-domain/path`.
   *
   * @throws SpiffeError `invalid-id`, with the broken row in `rule`
   */
  static parse(text: string): SpiffeId {
    const { authority, path } = splitId(text);
    return SpiffeId.of(parseAuthority(authority), path);
  }

  /**
   * The ID of a path within a trust domain; the path is empty or begins with a slash.
   *
   * @throws SpiffeError `invalid-id`
   */
  static of(trustDomain: TrustDomain, path: string): SpiffeId {
    requireIdLength(trustDomain.id.length + path.length);
    requirePath(path);
    return new SpiffeId(trustDomain, path);
  }

  /**
   * The ID of segments given without slashes; none gives the ID of the trust domain.
   *
   * @throws SpiffeError `invalid-id`
   */
  static fromSegments(trustDomain: TrustDomain, ...segments: readonly string[]): SpiffeId {
    for (const segment of segments) requireSegment(segment);
    return SpiffeId.of(trustDomain, segments.map((segment) => `/${segment}`).join(''));
  }

  equals(other: SpiffeId): boolean {
    return this.path === other.path && this.trustDomain.equals(other.trustDomain);
  }

  memberOf(trustDomain: TrustDomain): boolean {
    return this.trustDomain.equals(trustDomain);
  }

  // Made when it is asked for: a server holds hundreds of thousands of IDs and writes few of them out.
  toString(): string {
    return this.trustDomain.id + this.path;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Whoever parses an ID is told that the ID is wrong; the reason stays the trust domain's. */
function parseAuthority(text: string): TrustDomain {
  try {
    return TrustDomain.parse(text);
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new SpiffeError('invalid-id', error.message, { rule: error.rule ?? 'ID-08', cause: error });
  }
}
