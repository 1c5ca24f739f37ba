import { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import type { Certificate } from '../x509/certificate.ts';

/**
 * What a certificate must be to stand for a workload, whoever signed it (X509-SVID sections 2, 3.1, 4.3, 5.2).
 *
 * @throws SpiffeError `invalid-svid` with the broken row
 */
export function requireLeaf(leaf: Certificate): SpiffeId {
  const id = requireOneSpiffeId(leaf);
  requirePath(id);
  requireNoAuthority(leaf);
  requireKeyUsage(leaf);
  return id;
}

/** Exactly one URI SAN (X509-02, X509-03), of scheme `spiffe` and a valid ID (X509-31). */
function requireOneSpiffeId(leaf: Certificate): SpiffeId {
  try {
    return leaf.spiffeId();
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    if (cause.code === 'invalid-svid') throw cause;
    throw refused(`URI SAN is no SPIFFE ID: ${cause.message}`, 'X509-31', cause);
  }
}

/** A workload's ID has a path; that of a trust domain belongs to its authority (X509-32). */
function requirePath(id: SpiffeId): void {
  if (id.path === '') throw refused('SPIFFE ID has no path', 'X509-32');
}

/** A signing certificate is no credential (X509-12, X509-29). */
function requireNoAuthority(leaf: Certificate): void {
  if (leaf.isCa) throw refused('certificate is that of a CA', 'X509-29');
}

/** Present, critical, able to sign, and not able to sign certificates (X509-H1, X509-30). */
function requireKeyUsage({ keyUsage }: Certificate): void {
  if (keyUsage === undefined) throw refused('certificate has no key usage', 'X509-H1');
  if (keyUsage.keyCertSign) throw refused('key usage allows signing certificates', 'X509-30');
  if (keyUsage.crlSign) throw refused('key usage allows signing revocation lists', 'X509-30');
  if (!keyUsage.critical) throw refused('key usage is not critical', 'X509-H1');
  if (!keyUsage.digitalSignature) throw refused('key usage does not allow signatures', 'X509-H1');
}

function refused(message: string, rule: string, cause?: unknown): SpiffeError {
  return new SpiffeError('invalid-svid', message, { rule, cause });
}
