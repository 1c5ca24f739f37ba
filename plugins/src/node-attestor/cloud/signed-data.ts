import { type BerElement, malformed, readBer } from './ber.ts';

/** Bytes of a provider's signed document, certificates included: some thousand. */
const MAX_BYTES = 64 * 1024;

const SIGNED_DATA = '06092a864886f70d010702';
const DATA = '06092a864886f70d010701';
const TAG = { integer: 0x02, octetString: 0x04, oid: 0x06, sequence: 0x30, set: 0x31 } as const;
const context = (number: number): number => 0xa0 | number;

/** CMS SignedData (RFC 5652 section 5) with content inside and one signer, nothing in it checked yet. */
export interface SignedData {
  readonly content: Uint8Array;
  /** DER, in the order they came in: not trusted, and none of them need be the signer's. */
  readonly certificates: readonly Uint8Array[];
  readonly signer: SignerInfo;
}

export interface SignerInfo {
  /** DER of issuer Name and contents of the serial INTEGER that name the signer's certificate. */
  readonly issuer: Uint8Array;
  readonly serial: Uint8Array;
  /** Hexadecimal DER of the object identifiers. */
  readonly digestAlgorithm: string;
  readonly signatureAlgorithm: string;
  readonly signedAttributes: BerElement | undefined;
  readonly signature: Uint8Array;
}

/**
 * Reads SignedData in BER or DER.
 *
 * @throws {IssuerError} `invalid-argument`; also for more signers than one, where it would be open who has signed
 */
export function readSignedData(bytes: Uint8Array): SignedData {
  if (bytes.length > MAX_BYTES) throw malformed(`more than ${MAX_BYTES} bytes`);
  const info = fields(readBer(bytes), TAG.sequence);
  if (hex(info.take(TAG.oid).der) !== SIGNED_DATA) throw malformed('it is no PKCS#7 SignedData');
  const signedData = fields(only(info.take(context(0))), TAG.sequence);
  signedData.take(TAG.integer);
  signedData.take(TAG.set);
  const content = contentOf(signedData.take(TAG.sequence));
  const certificates = signedData.optional(context(0))?.children.map(({ der }) => der) ?? [];
  signedData.optional(context(1));
  const { children: signers } = signedData.take(TAG.set);
  const [signer, second] = signers;
  if (signer === undefined || second !== undefined) throw malformed('it does not have exactly one signer');
  return { content, certificates, signer: readSigner(signer) };
}

function contentOf(element: BerElement): Uint8Array {
  const encapsulated = fields(element, TAG.sequence);
  if (hex(encapsulated.take(TAG.oid).der) !== DATA) throw malformed('its content is of another type');
  const octets = only(encapsulated.take(context(0)));
  if (octets.tag !== TAG.octetString) throw malformed('its content is no octet string');
  return octets.contents;
}

function readSigner(element: BerElement): SignerInfo {
  const signer = fields(element, TAG.sequence);
  signer.take(TAG.integer);
  const name = fields(signer.take(TAG.sequence), TAG.sequence);
  const issuer = name.take(TAG.sequence).der;
  const serial = name.take(TAG.integer).contents;
  const digestAlgorithm = algorithm(signer.take(TAG.sequence));
  const signedAttributes = signer.optional(context(0));
  const signatureAlgorithm = algorithm(signer.take(TAG.sequence));
  const signature = signer.take(TAG.octetString).contents;
  return { issuer, serial, digestAlgorithm, signedAttributes, signatureAlgorithm, signature };
}

function algorithm(element: BerElement): string {
  return hex(fields(element, TAG.sequence).take(TAG.oid).der);
}

/** Takes the children of an element one after the other. */
export function fields(element: BerElement, tag: number) {
  if (element.tag !== tag) throw malformed(`a field with tag ${element.tag} in place of ${tag}`);
  let next = 0;
  return {
    take(expected: number): BerElement {
      const child = element.children[next];
      if (child?.tag !== expected) throw malformed(`a field with tag ${expected} is missing`);
      next += 1;
      return child;
    },
    optional(expected: number): BerElement | undefined {
      const child = element.children[next];
      if (child?.tag !== expected) return undefined;
      next += 1;
      return child;
    },
  };
}

export function only({ children }: BerElement): BerElement {
  const [child, second] = children;
  if (child === undefined || second !== undefined) throw malformed('a field does not hold exactly one value');
  return child;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
