import { SpiffeError, type SpiffeErrorCode } from '../errors.ts';
import type { Certificate } from './certificate.ts';

/**
 * Whether the validity contains a moment, ends included.
 *
 * @throws SpiffeError `expired` or `not-yet-valid`
 */
export function requireValidAt(certificate: Certificate, now: number, what: string): void {
  // Written so that a time that is no number is refused.
  if (!(now >= certificate.notBefore)) throw refused('not-yet-valid', `${what} is not yet valid`, 'X509-28');
  if (!(now <= certificate.notAfter)) throw refused('expired', `${what} has expired`, 'X509-28');
}

/**
 * A critical extension nobody here understands may say anything (RFC 5280 section 4.2).
 *
 * @throws SpiffeError `untrusted`
 */
export function requireUnderstood({ unknownCritical: [oid] }: Certificate, what: string): void {
  if (oid !== undefined) throw refused('untrusted', `${what} has the unknown critical extension ${oid}`, 'X509-28');
}

/**
 * Whether a certificate may stand above a path that begins with the leaf (RFC 5280 section 6.1.4), its signature apart.
 *
 * @throws SpiffeError `untrusted`, `expired` or `not-yet-valid`
 */
export function requireMayIssue(issuer: Certificate, path: readonly Certificate[], now: number): void {
  requireValidAt(issuer, now, 'issuer');
  requireUnderstood(issuer, 'issuer');
  if (!issuer.isCa) throw refused('untrusted', 'issuer is no CA', 'X509-28');
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.keyCertSign) {
    throw refused('untrusted', 'issuer may not sign certificates', 'X509-28');
  }
  const limit = issuer.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY;
  const below = path.slice(1).filter(({ isSelfIssued }) => !isSelfIssued).length;
  if (below > limit) throw refused('untrusted', 'path length of an issuer is exceeded', 'X509-13');
}

function refused(code: SpiffeErrorCode, message: string, rule: string): SpiffeError {
  return new SpiffeError(code, message, { rule });
}
