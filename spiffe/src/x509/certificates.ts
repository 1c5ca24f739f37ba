import { DerReader, malformed } from '../der/reader.ts';
import { TAG } from '../der/tags.ts';
import { concatBytes } from '../encoding/bytes.ts';
import { Certificate } from './certificate.ts';

/** No bundle or chain comes near it. */
const MAX_CERTIFICATES = 1000;

/**
 * Certificates standing behind one another without anything between them, as the Workload API sends chains and bundles.
 * No bytes give no certificates.
 *
 * @throws SpiffeError `malformed-der`, also for anything after the last certificate
 */
export function parseCertificates(der: Uint8Array): Certificate[] {
  const certificates: Certificate[] = [];
  const reader = new DerReader(der);
  while (!reader.done) {
    if (certificates.length === MAX_CERTIFICATES) throw malformed('too many certificates');
    certificates.push(Certificate.parse(reader.expect(TAG.sequence).raw));
  }
  return certificates;
}

/** The reverse of {@link parseCertificates}. */
export function concatCertificates(certificates: readonly Certificate[]): Uint8Array {
  return concatBytes(certificates.map(({ raw }) => raw));
}
