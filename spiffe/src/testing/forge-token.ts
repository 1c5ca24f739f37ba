import { Buffer } from 'node:buffer';
import { createHmac, type KeyObject, sign } from 'node:crypto';
import { algorithmNamed } from '../jwt/algorithm.ts';
import { signWith } from '../jwt/signature.ts';
import { TEST_KEYS, type TestKey } from './test-keys.ts';

/** A token that no issuer would make: a good one with some things done to it. */
export interface Forgery {
  /** Members laid over the good header, and members taken out of it. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly dropHeader?: readonly string[];
  /** The header as text, for what no object can say. */
  readonly headerText?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly dropClaims?: readonly string[];
  readonly claimsText?: string;
  /** The key that signs, and the algorithm it really uses. */
  readonly key?: TestKey;
  readonly as?: string;
  /** What is done to the finished token. */
  readonly mangle?: keyof typeof MANGLES;
}

type Members = Readonly<Record<string, unknown>>;
type Parts = readonly [header: string, claims: string, signature: string];

const base64url = (data: string | Uint8Array): string => Buffer.from(data).toString('base64url');

/** Makes the token over a good header and good claims. */
export function forgeToken(forgery: Forgery, good: { header: Members; claims: Members; key: TestKey }): string {
  const header = { ...without(good.header, forgery.dropHeader), ...forgery.header };
  const claims = { ...without(good.claims, forgery.dropClaims), ...forgery.claims };
  const headerPart = base64url(forgery.headerText ?? JSON.stringify(header));
  const claimsPart = base64url(forgery.claimsText ?? JSON.stringify(claims));
  const algorithm = forgery.as ?? String((header as { alg?: unknown }).alg);
  const { privateKey, publicKey } = TEST_KEYS[forgery.key ?? good.key];
  const signature = rawSign(algorithm, privateKey, publicKey, Buffer.from(`${headerPart}.${claimsPart}`));
  return MANGLES[forgery.mangle ?? 'nothing']([headerPart, claimsPart, base64url(signature)]);
}

function without(members: Members, dropped: readonly string[] = []): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !dropped.includes(name)));
}

function rawSign(name: string, privateKey: KeyObject, publicKey: KeyObject, data: Uint8Array): Uint8Array {
  if (name === 'none') return new Uint8Array(0);
  if (name === 'HS256') {
    return createHmac('sha256', publicKey.export({ type: 'spki', format: 'pem' }))
      .update(data)
      .digest();
  }
  if (name === 'der') return sign('sha256', data, privateKey);
  if (name === 'EdDSA') return sign(null, data, privateKey);
  if (name === 'p1363') return sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  if (name === 'p1363 sha384') return sign('sha384', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const algorithm = algorithmNamed(name);
  if (algorithm === undefined) throw new Error(`the forge does not know ${name}`);
  return signWith(algorithm, privateKey, data);
}

/** Sets a bit that encodes nothing in the last character of a part. */
function loosen(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return part.slice(0, -1) + alphabet[alphabet.indexOf(part.slice(-1)) + 1];
}

/** The numbers of a raw signature with zeros before them, so that each has `size` bytes. */
function padded(part: string, size: number): string {
  const bytes = Buffer.from(part, 'base64url');
  const half = bytes.length / 2;
  const zeros = Buffer.alloc(size - half);
  return base64url(Buffer.concat([zeros, bytes.subarray(0, half), zeros, bytes.subarray(half)]));
}

function flipped(part: string, bit: number): string {
  const bytes = Buffer.from(part, 'base64url');
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return base64url(bytes);
}

const MANGLES = {
  nothing: (parts: Parts) => parts.join('.'),
  'two parts': ([header, claims]: Parts) => `${header}.${claims}`,
  'four parts': (parts: Parts) => `${parts.join('.')}.${parts[2]}`,
  'five parts': (parts: Parts) => `${parts.join('.')}..`,
  'empty claims part': ([header, , signature]: Parts) => `${header}..${signature}`,
  'no signature': ([header, claims]: Parts) => `${header}.${claims}.`,
  padding: (parts: Parts) => `${parts.join('.')}==`,
  'line feed inside': ([header, claims, signature]: Parts) =>
    `${header}.${claims.slice(0, 8)}\n${claims.slice(8)}.${signature}`,
  'line feed at the end': (parts: Parts) => `${parts.join('.')}\n`,
  'blank in front': (parts: Parts) => ` ${parts.join('.')}`,
  'standard alphabet': ([header, claims]: Parts) => `${header}.${claims}.${'+/'.repeat(43)}`,
  'loose bits in the signature': ([header, claims, signature]: Parts) => `${header}.${claims}.${loosen(signature)}`,
  'shortened signature': ([header, claims, signature]: Parts) =>
    `${header}.${claims}.${base64url(Buffer.from(signature, 'base64url').subarray(0, -1))}`,
  'lengthened signature': ([header, claims, signature]: Parts) =>
    `${header}.${claims}.${base64url(Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.of(0)]))}`,
  'numbers padded to 33 bytes': ([header, claims, signature]: Parts) => `${header}.${claims}.${padded(signature, 33)}`,
  'numbers padded to 48 bytes': ([header, claims, signature]: Parts) => `${header}.${claims}.${padded(signature, 48)}`,
  'signature of zeros': ([header, claims]: Parts) => `${header}.${claims}.${base64url(new Uint8Array(64))}`,
  'flipped signature bit': ([header, claims, signature]: Parts) => `${header}.${claims}.${flipped(signature, 77)}`,
  'flipped claims bit': ([header, claims, signature]: Parts) => `${header}.${flipped(claims, 210)}.${signature}`,
  'json serialization': ([header, claims, signature]: Parts) =>
    JSON.stringify({ payload: claims, signatures: [{ protected: header, signature }] }),
  'flattened json serialization': ([header, claims, signature]: Parts) =>
    JSON.stringify({ payload: claims, protected: header, signature }),
  'too long': (parts: Parts) => parts.join('.').padEnd(70_000, 'A'),
} as const;
