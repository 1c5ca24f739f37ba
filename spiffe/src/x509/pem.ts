import { decodeBase64, encodeBase64 } from '../encoding/base64.ts';
import { SpiffeError } from '../errors.ts';
import { Certificate } from './certificate.ts';

const LINE = 64;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END ([A-Z0-9 ]+)-----/g;

/** One PEM block (RFC 7468), lines of 64 characters, with a line feed at its end. */
export function toPem(label: string, der: Uint8Array): string {
  const lines = encodeBase64(der).match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/**
 * The contents of all blocks, or of those with a label, in order. Text between blocks is ignored, as RFC 7468 allows.
 *
 * @throws SpiffeError `malformed-der` for a block that is broken or never ends
 */
export function parsePem(text: string, label?: string): Uint8Array[] {
  const blocks = Array.from(text.matchAll(BLOCK));
  if (blocks.length !== text.split('-----BEGIN ').length - 1) throw malformed('PEM block is not closed');
  return blocks.filter(([, begin]) => label === undefined || begin === label).map(readBlock);
}

/**
 * All certificates of a PEM text. A text without any gives none.
 *
 * @throws SpiffeError `malformed-der`
 */
export function parseCertificatesPem(text: string): Certificate[] {
  return parsePem(text, 'CERTIFICATE').map((der) => Certificate.parse(der));
}

function readBlock([, begin, body = '', end]: RegExpMatchArray): Uint8Array {
  if (begin !== end) throw malformed('labels of a PEM block differ');
  const der = decodeBase64(body.replaceAll(/[ \t\r\n]/g, ''));
  if (der === undefined || der.length === 0) throw malformed('PEM block is not base64');
  return der;
}

function malformed(message: string): SpiffeError {
  return new SpiffeError('malformed-der', message);
}
