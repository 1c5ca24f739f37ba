import { SpiffeError } from '../errors.ts';
import { JsonReader } from './json-reader.ts';
import type { JsonValue } from './json-value.ts';

export interface JsonLimits {
  /** Largest input, in bytes of UTF-8. */
  readonly maxBytes: number;
  /** Deepest nesting of arrays and objects; a bare string has depth 0. */
  readonly maxDepth: number;
}

/** `ignoreBOM` keeps the mark in the text, where the grammar refuses it. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * JSON by RFC 8259, read for security decisions: one meaning per text or none. Refused are duplicate members, bytes that
 * are not UTF-8, a byte order mark, lone surrogates, numbers a double cannot hold, and anything after the value. Integers
 * stay exact. Time is linear in the input, and depth costs no stack.
 *
 * @throws SpiffeError `malformed-json`
 */
export function parseJson(input: string | Uint8Array, limits: JsonLimits): JsonValue {
  return new JsonReader(textWithin(input, limits.maxBytes), limits.maxDepth).read();
}

function textWithin(input: string | Uint8Array, maxBytes: number): string {
  // A UTF-16 unit is at least one byte of UTF-8, so most hostile sizes are refused without encoding anything.
  if (input.length > maxBytes) throw tooLong(maxBytes);
  if (typeof input === 'string') {
    if (input.length * 3 > maxBytes && new TextEncoder().encode(input).length > maxBytes) throw tooLong(maxBytes);
    return input;
  }
  try {
    return UTF8.decode(input);
  } catch (cause) {
    throw new SpiffeError('malformed-json', 'malformed JSON: not UTF-8', { cause });
  }
}

function tooLong(maxBytes: number): SpiffeError {
  return new SpiffeError('malformed-json', `malformed JSON: longer than ${maxBytes} bytes`);
}
