import { contextConstructed } from '../der/tags.ts';
import { bitString, encodeOid, sequence, setOfOne, smallInteger, tlv } from '../der/writer.ts';
import { KEY_TYPES } from '../keys/key-type.ts';
import type { Signer } from '../keys/signer.ts';
import { spkiOf } from '../keys/spki.ts';
import { alternativeNames } from './extension-writer.ts';
import { encodeName, type NameAttributes } from './name.ts';
import { OID } from './oids.ts';

/** What a signing request wishes for. */
export interface CsrContent {
  readonly uri?: string;
  readonly dnsNames?: readonly string[];
  /** Empty by default: issuers of SVIDs decide about the subject themselves. */
  readonly subject?: NameAttributes;
}

const VERSION = smallInteger(0);
const EXTENSION_REQUEST = encodeOid(OID.extensionRequest);

/**
 * Makes a PKCS#10 request (RFC 2986) in DER, signed with the key it is for.
 *
 * @throws TypeError for names beyond ASCII; whatever the signer throws
 */
export async function makeCsr(signer: Signer, content: CsrContent = {}): Promise<Uint8Array> {
  const { uri, dnsNames = [], subject = {} } = content;
  const wishesNames = uri !== undefined || dnsNames.length > 0;
  const attributes = wishesNames ? [requestExtension(alternativeNames(uri, dnsNames, false))] : [];
  const signedPart = sequence(
    VERSION,
    encodeName(subject),
    spkiOf(signer.publicKey),
    tlv(contextConstructed(0), ...attributes),
  );
  const signature = await signer.sign(signedPart);
  return sequence(signedPart, KEY_TYPES[signer.type].signatureAlgorithm, bitString(signature));
}

function requestExtension(extension: Uint8Array): Uint8Array {
  return sequence(EXTENSION_REQUEST, setOfOne(sequence(extension)));
}
