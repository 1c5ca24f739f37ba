import { SpiffeError } from '../errors.ts';
import { isTrustDomainCharacter } from './characters.ts';
import { requirePath } from './path.ts';
import { hasScheme, splitId } from './split.ts';

/** Names remembered. A process meets few trust domains, in very many IDs, and these share one value per name. */
const REMEMBERED = 256;

/** SPIFFE-ID section 2.3. All allowed characters are one byte long. */
export const MAX_TRUST_DOMAIN_BYTES = 255;

/**
 * The name of a trust domain (SPIFFE-ID section 2.1). A value of this class is always valid and lower case; equal names
 * are equal strings.
 */
export class TrustDomain {
  static readonly #known = new Map<string, TrustDomain>();

  readonly name: string;
  /** The SPIFFE ID of the trust domain itself, `spiffe://name`. */
  readonly id: string;

  private constructor(name: string) {
    this.name = name;
    this.id = `spiffe://${name}`;
  }

  /**
   * Parses a bare name such as `example.org`. Upper case is refused, not folded.
   *
   * @throws SpiffeError `invalid-trust-domain`
   */
  static parse(text: string): TrustDomain {
    const known = TrustDomain.#known.get(text);
    if (known !== undefined) return known;
    if (text === '') throw invalid('trust domain must not be empty', 'ID-05');
    if (text.length > MAX_TRUST_DOMAIN_BYTES) {
      throw invalid(`trust domain must not be longer than ${MAX_TRUST_DOMAIN_BYTES} bytes`, 'ID-19');
    }
    for (let index = 0; index < text.length; index++) {
      if (!isTrustDomainCharacter(text.charCodeAt(index))) {
        throw invalid(
          'trust domain may contain only lower-case letters, digits, dots, dashes and underscores',
          'ID-08',
        );
      }
    }
    if (TrustDomain.#known.size >= REMEMBERED) TrustDomain.#known.clear();
    const trustDomain = new TrustDomain(text);
    TrustDomain.#known.set(text, trustDomain);
    return trustDomain;
  }

  /**
   * The trust domain of a bare name or of any whole SPIFFE ID, as people type it in configuration.
   *
   * @throws SpiffeError `invalid-trust-domain`, or `invalid-id` when the text is a broken whole ID
   */
  static fromIdOrName(text: string): TrustDomain {
    if (!hasScheme(text)) return TrustDomain.parse(text);
    const { authority, path } = splitId(text);
    const trustDomain = TrustDomain.parse(authority);
    requirePath(path);
    return trustDomain;
  }

  equals(other: TrustDomain): boolean {
    return this.name === other.name;
  }

  toString(): string {
    return this.name;
  }

  toJSON(): string {
    return this.name;
  }
}

function invalid(message: string, rule: string): SpiffeError {
  return new SpiffeError('invalid-trust-domain', message, { rule });
}
