import { equalBytes } from '../encoding/bytes.ts';
import { SpiffeError } from '../errors.ts';
import type { Certificate } from './certificate.ts';
import { namesAreWithin } from './constrain-names.ts';
import { requireMayIssue, requireUnderstood, requireValidAt } from './judge-issuer.ts';

/** Where paths may begin and what may lie between. */
export interface PathInput {
  readonly leaf: Certificate;
  /** From the peer: not trusted, only of use if they lead to an anchor. */
  readonly intermediates: readonly Certificate[];
  /** From the bundle: trusted. */
  readonly anchors: readonly Certificate[];
  /** Unix seconds. */
  readonly now: number;
}

/** Certificates in one path, leaf and anchor included. */
const MAX_PATH = 12;
/** A hostile set of cross-signed certificates has exponentially many paths; this many signatures are tried. */
const MAX_SIGNATURE_CHECKS = 64;

/**
 * Finds a path from the leaf to an anchor that is valid by RFC 5280 section 6: names chain, signatures hold, every
 * certificate is within its validity, every issuer may issue, path lengths and name constraints are kept, and no critical
 * extension is unknown.
 *
 * @returns leaf first, anchor last
 * @throws SpiffeError `untrusted`, `expired` or `not-yet-valid`: of all attempts the reason of the longest
 */
export function buildPath(input: PathInput): readonly Certificate[] {
  requireValidAt(input.leaf, input.now, 'certificate');
  requireUnderstood(input.leaf, 'certificate');
  const search = new PathSearch(input);
  const path = search.extend([input.leaf]);
  if (path === undefined) throw search.failure;
  return path;
}

class PathSearch {
  readonly #input: PathInput;
  #checksLeft = MAX_SIGNATURE_CHECKS;
  #failure = new SpiffeError('untrusted', 'no path to an authority of the trust domain', { rule: 'X509-28' });
  #failureDepth = 0;

  constructor(input: PathInput) {
    this.#input = input;
  }

  get failure(): SpiffeError {
    return this.#failure;
  }

  extend(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const { anchors, intermediates } = this.#input;
    for (const anchor of issuersOf(path, anchors)) {
      const whole = this.#step(path, anchor);
      if (whole !== undefined && this.#attempt(whole, () => requireNamesWithin(whole))) return whole;
    }
    if (path.length + 2 > MAX_PATH) return undefined;
    for (const intermediate of issuersOf(path, intermediates)) {
      if (path.some((known) => isSameAuthority(known, intermediate))) continue;
      const longer = this.#step(path, intermediate);
      const whole = longer === undefined ? undefined : this.extend(longer);
      if (whole !== undefined) return whole;
    }
    return undefined;
  }

  #step(path: readonly Certificate[], issuer: Certificate): readonly Certificate[] | undefined {
    const accepted = this.#attempt(path, () => {
      requireMayIssue(issuer, path, this.#input.now);
      this.#requireSignature(path.at(-1), issuer);
    });
    return accepted ? [...path, issuer] : undefined;
  }

  #requireSignature(certificate: Certificate | undefined, issuer: Certificate): void {
    if (this.#checksLeft-- <= 0) {
      throw new SpiffeError('untrusted', 'too many signatures to check', { rule: 'X509-28' });
    }
    if (certificate?.isSignedBy(issuer) === true) return;
    throw new SpiffeError('untrusted', 'signature does not hold or is of a refused kind', { rule: 'X509-28' });
  }

  /** Runs checks; a failure is remembered if none was seen further up, or if it ends the search. */
  #attempt(path: readonly Certificate[], checks: () => void): boolean {
    try {
      checks();
      return true;
    } catch (error) {
      if (!(error instanceof SpiffeError)) throw error;
      if (path.length > this.#failureDepth || this.#checksLeft < 0) {
        this.#failure = error;
        this.#failureDepth = path.length;
      }
      return false;
    }
  }
}

/** Candidates whose name fits, those whose key identifier fits first. */
function issuersOf(path: readonly Certificate[], candidates: readonly Certificate[]): Certificate[] {
  const subject = path.at(-1);
  if (subject === undefined) return [];
  const named = candidates.filter((candidate) => equalBytes(candidate.subject, subject.issuer));
  if (named.length < 2) return named;
  const [fitting, others] = [true, false].map((fits) =>
    named.filter(({ subjectKeyId }) => (subjectKeyId === subject.authorityKeyId) === fits),
  );
  return [...(fitting ?? []), ...(others ?? [])];
}

/** Same name and key: a path through both would go in a circle. */
function isSameAuthority(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.subject, b.subject) && equalBytes(a.spki, b.spki);
}

/** Every certificate against every CA above it; self-issued ones in the middle are free (RFC 5280 section 6.1.4). */
function requireNamesWithin(path: readonly Certificate[]): void {
  path.forEach(({ nameConstraints }, position) => {
    if (nameConstraints === undefined) return;
    const bound = path.slice(0, position).filter((certificate, below) => below === 0 || !certificate.isSelfIssued);
    if (bound.every((certificate) => namesAreWithin(nameConstraints, certificate))) return;
    throw new SpiffeError('untrusted', 'a name lies outside the name constraints of an issuer', { rule: 'X509-16' });
  });
}
