import { createHmac, type KeyObject, sign } from 'node:crypto';

/** How to sign: any algorithm name, true to the key or not; `none` leaves the signature empty. */
export type TokenSignature =
  | { readonly key: KeyObject; readonly digest: 'sha256' | 'sha384' | 'sha512'; readonly pss?: boolean }
  | { readonly secret: Uint8Array }
  | { readonly none: true };

/** A compact JWS with exactly this header and payload; both may be any JSON text, even malformed or with repeated members. */
export function forgeToken(header: object | string, payload: object | string, signature: TokenSignature): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${signatureOf(signed, signature).toString('base64url')}`;
}

/** The token with one character of its signature changed. */
export function spoilSignature(token: string): string {
  const at = token.lastIndexOf('.') + 1;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

function encode(part: object | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

function signatureOf(signed: string, how: TokenSignature): Buffer {
  if ('none' in how) return Buffer.alloc(0);
  if ('secret' in how) return createHmac('sha256', how.secret).update(signed).digest();
  const { key, digest, pss = false } = how;
  if (key.asymmetricKeyType === 'ec') return sign(digest, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  // 6 is RSA_PKCS1_PSS_PADDING, -1 a salt as long as the digest.
  return sign(digest, Buffer.from(signed), pss ? { key, padding: 6, saltLength: -1 } : { key });
}
