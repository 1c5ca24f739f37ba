import { SpiffeError } from '../errors.ts';

const SCHEME = 'spiffe://';

/** SPIFFE-ID section 2.3. All allowed characters are one byte long, so characters may be counted for bytes. */
export const MAX_SPIFFE_ID_BYTES = 2048;

/** Whether a text claims to be a whole ID; everything else can only be a bare trust domain name. */
export function hasScheme(text: string): boolean {
  return text.startsWith(SCHEME);
}

/**
 * Cuts a SPIFFE ID into its authority and its path without judging either.
 *
 * @throws SpiffeError `invalid-id`
 */
export function splitId(text: string): { authority: string; path: string } {
  if (text === '') throw invalid('SPIFFE ID must not be empty', 'ID-01');
  // The length before anything else: it bounds the work of every later check.
  requireIdLength(text.length);
  if (!hasScheme(text)) throw invalid('scheme is missing or is not "spiffe"', 'ID-01');

  const slash = text.indexOf('/', SCHEME.length);
  const pathStart = slash === -1 ? text.length : slash;
  if (pathStart === SCHEME.length) throw invalid('trust domain is missing', 'ID-02');
  return { authority: text.slice(SCHEME.length, pathStart), path: text.slice(pathStart) };
}

/** @throws SpiffeError `invalid-id` */
export function requireIdLength(length: number): void {
  if (length <= MAX_SPIFFE_ID_BYTES) return;
  throw invalid(`SPIFFE ID must not be longer than ${MAX_SPIFFE_ID_BYTES} bytes`, 'ID-18');
}

function invalid(message: string, rule: string): SpiffeError {
  return new SpiffeError('invalid-id', message, { rule });
}
