import { createHash, type KeyObject, verify } from 'node:crypto';
import { type BerElement, encodeElement, malformed } from './ber.ts';
import { fields, hex, only, type SignedData, type SignerInfo } from './signed-data.ts';

const SET = 0x31;
const SEQUENCE = 0x30;
const OID = 0x06;
const CONTENT_TYPE = '06092a864886f70d010903';
const MESSAGE_DIGEST = '06092a864886f70d010904';
const DATA = '06092a864886f70d010701';

/** By the object identifier's DER. Azure names the signature's algorithm where the digest's belongs. SHA-1 is refused. */
const DIGESTS: Readonly<Record<string, string>> = {
  '0609608648016503040201': 'sha256',
  '0609608648016503040202': 'sha384',
  '0609608648016503040203': 'sha512',
  '06092a864886f70d01010b': 'sha256',
  '06092a864886f70d01010c': 'sha384',
  '06092a864886f70d01010d': 'sha512',
};
/** Family of the key, and the digest where the algorithm names one. */
const SIGNATURES: Readonly<Record<string, readonly ['rsa' | 'ec', string | undefined]>> = {
  '06092a864886f70d010101': ['rsa', undefined],
  '06092a864886f70d01010b': ['rsa', 'sha256'],
  '06092a864886f70d01010c': ['rsa', 'sha384'],
  '06092a864886f70d01010d': ['rsa', 'sha512'],
  '06082a8648ce3d040302': ['ec', 'sha256'],
  '06082a8648ce3d040303': ['ec', 'sha384'],
  '06082a8648ce3d040304': ['ec', 'sha512'],
};

/**
 * Whether the content was signed with this key (RFC 5652 section 5.4 to 5.6), RSA PKCS#1 v1.5 or ECDSA with SHA-2. That
 * the key is the provider's is for the caller to know.
 *
 * @throws {IssuerError} `invalid-argument` for attributes that make no sense
 */
export function isSignedBy(key: KeyObject, { content, signer }: SignedData): boolean {
  const digest = digestOf(signer);
  const [family, named] = SIGNATURES[signer.signatureAlgorithm] ?? [];
  if (digest === undefined || family !== key.asymmetricKeyType || (named ?? digest) !== digest) return false;
  if (signer.signedAttributes === undefined) return verify(digest, content, key, signer.signature);
  const attributes = attributesOf(signer.signedAttributes.children);
  if (attributes.get(CONTENT_TYPE) !== DATA) return false;
  const octets = createHash(digest).update(content).digest();
  if (attributes.get(MESSAGE_DIGEST) !== hex(encodeElement(0x04, octets))) return false;
  // Signed is the SET, whatever the tag it travels under.
  return verify(digest, encodeElement(SET, signer.signedAttributes.contents), key, signer.signature);
}

function digestOf(signer: SignerInfo): string | undefined {
  return DIGESTS[signer.digestAlgorithm];
}

/** The value of each attribute as hexadecimal DER; each attribute once. */
function attributesOf(elements: readonly BerElement[]): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const element of elements) {
    const attribute = fields(element, SEQUENCE);
    const type = hex(attribute.take(OID).der);
    if (attributes.has(type)) throw malformed('a signed attribute occurs twice');
    attributes.set(type, hex(only(attribute.take(SET)).der));
  }
  return attributes;
}
