import { equalBytes } from '../encoding/bytes.ts';
import { SpiffeError } from '../errors.ts';
import type { Certificate } from './certificate.ts';
import { OID } from './oids.ts';

/** What a finished certificate has to be. */
export interface IssuedExpectation {
  readonly uri: string;
  readonly dnsNames: readonly string[];
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly ca: boolean;
  readonly pathLength: number | undefined;
}

/**
 * Looks at a finished certificate as a stranger would, before it leaves: it must be exactly what was asked for, and its
 * signature must hold under the issuer's published key. A faulty key service or a bug must not reach a workload.
 *
 * @throws SpiffeError `invalid-certificate`
 */
export function checkIssued(certificate: Certificate, issuer: Certificate, expected: IssuedExpectation): void {
  const problem = findProblem(certificate, issuer, expected);
  if (problem === undefined) return;
  throw new SpiffeError('invalid-certificate', `refusing to hand out a certificate: ${problem}`);
}

function findProblem(certificate: Certificate, issuer: Certificate, expected: IssuedExpectation): string | undefined {
  const { uriSans, dnsSans, notBefore, notAfter } = certificate;
  if (uriSans.length !== 1 || uriSans[0] !== expected.uri) return 'other URI SAN than asked for';
  if (!equalLists(dnsSans, expected.dnsNames)) return 'other DNS SANs than asked for';
  if (certificate.ipSans.length + certificate.emailSans.length + certificate.otherSans > 0) return 'unasked SANs';
  if (!equalBytes(certificate.subject, expected.subject)) return 'other subject than asked for';
  if (!equalBytes(certificate.spki, expected.spki)) return 'other key than asked for';
  if (notBefore !== Math.floor(expected.notBefore)) return 'other begin of validity than asked for';
  if (notAfter !== Math.floor(expected.notAfter)) return 'other end of validity than asked for';
  if (notBefore < issuer.notBefore || notAfter > issuer.notAfter) return 'validity reaches beyond the issuer';
  if (certificate.unknownCritical.length > 0) return 'unknown critical extension';
  const usageProblem = expected.ca ? findCaProblem(certificate, expected) : findLeafProblem(certificate);
  if (usageProblem !== undefined) return usageProblem;
  return certificate.isSignedBy(issuer) ? undefined : 'signature does not hold under the key of the issuer';
}

function findLeafProblem({ basicConstraints, keyUsage, extKeyUsage }: Certificate): string | undefined {
  if (basicConstraints?.ca !== false || !basicConstraints.critical) return 'basic constraints are not those of a leaf';
  const signsOnly = keyUsage?.critical && keyUsage.digitalSignature && !keyUsage.keyCertSign && !keyUsage.crlSign;
  if (signsOnly !== true) return 'key usage is not that of a leaf';
  const bothPurposes = extKeyUsage?.includes(OID.serverAuth) && extKeyUsage.includes(OID.clientAuth);
  return bothPurposes === true ? undefined : 'key purposes are not those of a leaf';
}

function findCaProblem({ basicConstraints, keyUsage }: Certificate, expected: IssuedExpectation): string | undefined {
  const isAuthority = basicConstraints?.ca === true && basicConstraints.critical;
  if (!isAuthority || basicConstraints.pathLength !== expected.pathLength)
    return 'basic constraints are not those asked';
  const signsOnly = keyUsage?.critical && keyUsage.keyCertSign && keyUsage.crlSign && !keyUsage.digitalSignature;
  return signsOnly === true ? undefined : 'key usage is not that of a CA';
}

function equalLists(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
