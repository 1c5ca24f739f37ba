import { encodeBase64 } from '../encoding/base64.ts';
import { equalBytes } from '../encoding/bytes.ts';
import { SpiffeError } from '../errors.ts';
import type { TokenAuthority } from './token-authority.ts';
import type { X509Authority } from './x509-authority.ts';

/** The list without repeated certificates. */
export function distinctCertificates(authorities: readonly X509Authority[]): readonly X509Authority[] {
  const byCertificate = new Map<string, X509Authority>();
  for (const authority of authorities) {
    const bytes = encodeBase64(authority.certificate.raw);
    if (!byCertificate.has(bytes)) byCertificate.set(bytes, authority);
  }
  return Object.freeze([...byCertificate.values()]);
}

/**
 * The authorities by key id, in order.
 *
 * @throws SpiffeError `invalid-bundle` if one id names two keys
 */
export function distinctKeys(authorities: readonly TokenAuthority[]): ReadonlyMap<string, TokenAuthority> {
  const byKid = new Map<string, TokenAuthority>();
  for (const authority of authorities) {
    const known = byKid.get(authority.kid);
    if (known === undefined) byKid.set(authority.kid, authority);
    else if (!sameKey(known, authority)) {
      throw new SpiffeError('invalid-bundle', 'one key id names two keys', { rule: 'WIT-33' });
    }
  }
  return byKid;
}

/** Whether both hold the same key. */
export function sameKey(a: TokenAuthority, b: TokenAuthority): boolean {
  return equalBytes(a.spki, b.spki);
}

/** Same certificates in the same state, in any order. Both lists are free of repetition. */
export function sameX509Authorities(a: readonly X509Authority[], b: readonly X509Authority[]): boolean {
  const stateOf = ({ certificate, tainted }: X509Authority) => `${tainted} ${encodeBase64(certificate.raw)}`;
  return sameSet(a.map(stateOf), b.map(stateOf));
}

/** Same keys under the same ids in the same state, in any order. Both lists are free of repetition. */
export function sameTokenAuthorities(a: readonly TokenAuthority[], b: readonly TokenAuthority[]): boolean {
  const stateOf = ({ kid, spki, expiresAt, tainted }: TokenAuthority) =>
    `${tainted} ${expiresAt} ${encodeBase64(spki)} ${kid}`;
  return sameSet(a.map(stateOf), b.map(stateOf));
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const wanted = new Set(a);
  return a.length === b.length && b.every((state) => wanted.has(state));
}
