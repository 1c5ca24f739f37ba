// Reads tokens and JWK Sets without our own library, for judging what it made.
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';

export interface JwkSet {
  readonly keys: readonly (JsonWebKey & { readonly kid?: string; readonly use?: string })[];
}

const part = (token: string, index: number): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Record<string, unknown>;

export const headerOf = (token: string): Record<string, unknown> => part(token, 0);
export const claimsOf = (token: string): Record<string, unknown> => part(token, 1);

/** The confirmation key of a WIT-SVID. */
export const confirmedKey = (token: string): JsonWebKey => (claimsOf(token) as { cnf: { jwk: JsonWebKey } }).cnf.jwk;

/** Whether a key of the set, found by its id, made this ES256 token. */
export function isSignedBy(set: JwkSet, token: string): boolean {
  const jwk = set.keys.find(({ kid }) => kid === headerOf(token)['kid']);
  if (jwk === undefined) return false;
  const [head = '', body = '', signature = ''] = token.split('.');
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const };
  return verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'));
}
