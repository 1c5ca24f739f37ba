import { createHash, createPublicKey, randomBytes, sign } from 'node:crypto';
import { generateKey, spkiOf, toPem } from '@steeple/spiffe';

/** Object identifiers in DER. */
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');
const ACME_IDENTIFIER = Buffer.from('06082b0601050507011f', 'hex');

const SEQUENCE = 0x30;
const LIFE = 7 * 86_400;

/**
 * The certificate that answers the challenge tls-alpn-01 (RFC 8737 section 3): self-signed, for the name, with the digest
 * of the key authorization in a critical extension. Nobody else believes it.
 */
export const challengeCertificate = (
  domainName: string,
  keyAuthorization: string,
  now: number,
): { readonly cert: string; readonly key: string } => {
  const privateKey = generateKey('ec-p256');
  const digest = createHash('sha256').update(keyAuthorization).digest();
  const algorithm = tlv(SEQUENCE, ECDSA_WITH_SHA256);
  const nobody = tlv(SEQUENCE);
  const extensions = tlv(
    SEQUENCE,
    tlv(SEQUENCE, SUBJECT_ALT_NAME, octets(tlv(SEQUENCE, tlv(0x82, Buffer.from(domainName, 'latin1'))))),
    tlv(SEQUENCE, ACME_IDENTIFIER, Buffer.of(1, 1, 0xff), octets(octets(digest))),
  );
  const signedPart = tlv(
    SEQUENCE,
    tlv(0xa0, Buffer.of(2, 1, 2)),
    tlv(2, Buffer.of(1), randomBytes(15)),
    algorithm,
    nobody,
    tlv(SEQUENCE, time(now - 3600), time(now + LIFE)),
    nobody,
    spkiOf(createPublicKey(privateKey)),
    tlv(0xa3, extensions),
  );
  const signature = sign('sha256', signedPart, privateKey);
  const der = tlv(SEQUENCE, signedPart, algorithm, tlv(3, Buffer.of(0), signature));
  return { cert: toPem('CERTIFICATE', der), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
};

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), body]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...bytes), body]);
};

const octets = (...parts: readonly Uint8Array[]): Buffer => tlv(4, ...parts);

/** UTCTime. */
const time = (seconds: number): Buffer => {
  const text = new Date(seconds * 1000).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return tlv(0x17, Buffer.from(text.slice(2), 'latin1'));
};
