import { createHash, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { encodeElement as der, readBer } from './ber.ts';

const OID = {
  signedData: '06092a864886f70d010702',
  data: '06092a864886f70d010701',
  sha256: '0609608648016503040201',
  rsaSha256: '06092a864886f70d01010b',
  rsa: '06092a864886f70d010101',
  contentType: '06092a864886f70d010903',
  messageDigest: '06092a864886f70d010904',
  signingTime: '06092a864886f70d010905',
  algorithmProtection: '06092a864886f70d010934',
};
const oid = (name: keyof typeof OID): Uint8Array => Buffer.from(OID[name], 'hex');
const NULL = Uint8Array.of(5, 0);
const all = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, all(...parts));
const set = (...parts: readonly Uint8Array[]): Uint8Array => der(0x31, all(...parts));
const algorithm = (name: keyof typeof OID): Uint8Array => sequence(oid(name), NULL);
/** An element of indefinite length. */
const open = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  all(Uint8Array.of(tag, 0x80), ...parts, Uint8Array.of(0, 0));

export interface CmsSigner {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** What is signed may differ from what is inside: forgeries. */
export interface CmsOptions {
  readonly digestInside?: Uint8Array;
  readonly contentType?: Uint8Array;
  readonly extraAttributes?: readonly Uint8Array[];
}

/** PKCS#7 as EC2's metadata service makes it: indefinite lengths, no certificates, signed attributes. */
export function awsSignedData(content: Uint8Array, signer: CmsSigner, options: CmsOptions = {}): Uint8Array {
  const digest = options.digestInside ?? createHash('sha256').update(content).digest();
  const protection = sequence(algorithm('sha256'), der(0xa1, all(oid('rsaSha256'), NULL)));
  const attributes = all(
    attribute('contentType', options.contentType ?? oid('data')),
    attribute('signingTime', der(0x17, Buffer.from('300101000000Z'))),
    attribute('algorithmProtection', protection),
    attribute('messageDigest', der(0x04, digest)),
    ...(options.extraAttributes ?? []),
  );
  const info = signerInfo(signer, 'sha256', 'rsaSha256', set(attributes), attributes);
  return open(
    0x30,
    oid('signedData'),
    open(
      0xa0,
      open(
        0x30,
        Uint8Array.of(2, 1, 1),
        set(algorithm('sha256')),
        open(0x30, oid('data'), open(0xa0, open(0x24, ...pieces(content)))),
        set(info),
      ),
    ),
  );
}

/** PKCS#7 as Azure's metadata service makes it: DER, with certificates, no signed attributes. */
export function azureSignedData(
  content: Uint8Array,
  signers: readonly CmsSigner[],
  certificates: readonly X509Certificate[],
): Uint8Array {
  const infos = signers.map((signer) => signerInfo(signer, 'rsaSha256', 'rsa', content));
  return sequence(
    oid('signedData'),
    der(
      0xa0,
      sequence(
        Uint8Array.of(2, 1, 1),
        set(algorithm('rsaSha256')),
        sequence(oid('data'), der(0xa0, der(0x04, content))),
        der(0xa0, all(...certificates.map(({ raw }) => raw))),
        set(...infos),
      ),
    ),
  );
}

/** An attribute with one value. */
export function attribute(name: keyof typeof OID, value: Uint8Array): Uint8Array {
  return sequence(oid(name), set(value));
}

function signerInfo(
  { certificate, key }: CmsSigner,
  digest: keyof typeof OID,
  signature: keyof typeof OID,
  signed: Uint8Array,
  attributes?: Uint8Array,
): Uint8Array {
  return sequence(
    Uint8Array.of(2, 1, 1),
    issuerAndSerial(certificate),
    algorithm(digest),
    ...(attributes === undefined ? [] : [der(0xa0, attributes)]),
    algorithm(signature),
    der(0x04, sign('sha256', signed, key)),
  );
}

/** Of a version 3 certificate: version, serial number, algorithm, issuer. */
function issuerAndSerial({ raw }: X509Certificate): Uint8Array {
  const [, serial, , issuer] = readBer(raw).children[0]?.children ?? [];
  return sequence(issuer?.der ?? NULL, serial?.der ?? NULL);
}

/** In pieces of as many bytes as the library has that makes the real ones. */
function pieces(content: Uint8Array): readonly Uint8Array[] {
  const size = 1000;
  return Array.from({ length: Math.ceil(content.length / size) }, (_, index) =>
    der(0x04, content.subarray(index * size, (index + 1) * size)),
  );
}
