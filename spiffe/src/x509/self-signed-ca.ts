import type { TrustDomain } from '../id/trust-domain.ts';
import type { Signer } from '../keys/signer.ts';
import { spkiOf } from '../keys/spki.ts';
import type { Certificate } from './certificate.ts';
import { CertificateTemplate } from './certificate-template.ts';
import { checkIssued } from './check-issued.ts';
import { alternativeNames, caExtensions, subjectKeyId } from './extension-writer.ts';
import { keyIdOf } from './key-id.ts';
import { encodeName, type NameAttributes } from './name.ts';

/** A wanted root certificate. */
export interface SelfSignedCaRequest {
  readonly trustDomain: TrustDomain;
  /** Should tell this root from the next one: a serial number attribute does. */
  readonly subject: NameAttributes;
  /** Unix seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** 16 random octets. */
  readonly serial: Uint8Array;
}

/**
 * Makes the root certificate of a trust domain, itself an X509-SVID without a path (X509-SVID section 3.2).
 *
 * @throws SpiffeError `expired` for an empty validity, `invalid-certificate` if the result fails its check
 */
export async function selfSignedCa(signer: Signer, request: SelfSignedCaRequest): Promise<Certificate> {
  const { notBefore, notAfter, serial } = request;
  const uri = request.trustDomain.id;
  const subject = encodeName(request.subject);
  // A root has to be found by its name, so the name may not be empty (RFC 5280 section 4.1.2.6).
  if (Object.keys(request.subject).length === 0) throw new TypeError('a CA needs a subject');
  const spki = spkiOf(signer.publicKey);
  const certificate = await new CertificateTemplate(signer, subject).sign({
    serial,
    notBefore,
    notAfter,
    subject,
    spki,
    extensions: [caExtensions(undefined), subjectKeyId(keyIdOf(spki)), alternativeNames(uri, [], false)],
  });
  const expected = { uri, dnsNames: [], subject, spki, notBefore, notAfter, ca: true, pathLength: undefined };
  checkIssued(certificate, certificate, expected);
  return certificate;
}
