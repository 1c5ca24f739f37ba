import { type DerElement, malformed } from './reader.ts';
import { TAG } from './tags.ts';
import { tlv } from './writer.ts';

const PRINTABLE = /^[A-Za-z0-9 '()+,./:=?-]*$/;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const strictUtf16 = new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true });

/**
 * ASCII text of an element, whatever its tag: what IA5String and the names in SAN carry.
 *
 * @throws SpiffeError `malformed-der` for any octet above 7F
 */
export function readAscii(element: DerElement): string {
  const { bytes, contentStart, end } = element;
  let text = '';
  for (let index = contentStart; index < end; index++) {
    const octet = bytes[index] ?? 0;
    if (octet > 0x7f) throw malformed('text beyond ASCII');
    text += String.fromCharCode(octet);
  }
  return text;
}

/**
 * Text of a DirectoryString or IA5String (RFC 5280 section 4.1.2.4); `undefined` for kinds that are no text and for octets
 * that are none. For showing, never for deciding.
 */
export function readDirectoryText(element: DerElement): string | undefined {
  try {
    switch (element.tag) {
      case TAG.utf8String:
        return strictUtf8.decode(element.contents);
      case TAG.bmpString:
        return strictUtf16.decode(element.contents);
      case TAG.universalString:
        return readUtf32(element.contents);
      case TAG.printableString:
      case TAG.ia5String:
      case TAG.t61String:
        return readAscii(element);
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

function readUtf32(bytes: Uint8Array): string {
  if (bytes.length % 4 !== 0) throw malformed('four octets a character');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) text += String.fromCodePoint(view.getUint32(at));
  if (!text.isWellFormed()) throw malformed('lone surrogate');
  return text;
}

/** PrintableString where that can hold the text, UTF8String otherwise. */
export function encodeDirectoryText(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new TypeError('text with a lone surrogate');
  return tlv(PRINTABLE.test(text) ? TAG.printableString : TAG.utf8String, new TextEncoder().encode(text));
}

/**
 * An IA5String under any tag, such as a name in SAN.
 *
 * @throws TypeError for text beyond ASCII
 */
export function encodeAscii(tag: number, text: string): Uint8Array {
  const contents = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) throw new TypeError('text beyond ASCII');
    contents[index] = unit;
  }
  return tlv(tag, contents);
}
