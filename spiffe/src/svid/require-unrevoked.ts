import { SpiffeError } from '../errors.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { RevocationList } from '../x509/revocation-list.ts';

/**
 * Refuses a path with a certificate that its issuer has revoked (RFC 5280 section 6.3, WAPI-H3). An issuer without a list
 * revokes nothing. One with a list that cannot be relied on, out of date or with a wrong signature, has its certificates
 * refused: what it revoked since is not known.
 *
 * @param path leaf first, authority of the bundle last
 * @param now Unix seconds
 * @throws SpiffeError `revoked`, `untrusted`
 */
export function requireUnrevoked(path: readonly Certificate[], lists: readonly RevocationList[], now: number): void {
  if (lists.length === 0) return;
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    for (const list of issuer === undefined ? [] : newestOf(lists, issuer)) {
      if (list.revokes(certificate)) throw refused('revoked', 'a certificate was revoked by its issuer');
      if (list.nextUpdate !== undefined && list.nextUpdate < now) throw unreliable('is out of date');
    }
  }
}

/** The lists of an issuer; of several with the same scope, the newest. */
function newestOf(lists: readonly RevocationList[], issuer: Certificate): Iterable<RevocationList> {
  const newest = new Map<string, RevocationList>();
  for (const list of lists) {
    if (!list.names(issuer)) continue;
    if (!list.isSignedBy(issuer)) {
      // Two authorities may have the same name, but not the same key identifier.
      if (list.authorityKeyId === undefined || list.authorityKeyId !== issuer.subjectKeyId) continue;
      throw unreliable('has a wrong signature');
    }
    const known = newest.get(list.scope);
    if (known === undefined || list.thisUpdate > known.thisUpdate) newest.set(list.scope, list);
  }
  return newest.values();
}

function unreliable(problem: string): SpiffeError {
  return refused('untrusted', `the revocation list of an issuer ${problem}`);
}

function refused(code: 'revoked' | 'untrusted', message: string): SpiffeError {
  return new SpiffeError(code, message, { rule: 'WAPI-H3' });
}
