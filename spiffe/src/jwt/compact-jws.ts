import { decodeBase64url } from '../encoding/base64.ts';
import type { SpiffeError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json/json-value.ts';
import { parseJson } from '../json/strict-json.ts';
import { type AlgorithmRow, algorithmNamed } from './algorithm.ts';
import { refused, type TokenKind } from './token-kind.ts';

/** Longest token made or read here, in characters. */
export const MAX_TOKEN_LENGTH = 65_536;
const HEADER_LIMITS = { maxBytes: 8192, maxDepth: 8 };
const CLAIMS_LIMITS = { maxBytes: MAX_TOKEN_LENGTH, maxDepth: 32 };
const ASCII = new TextEncoder();

/** A token taken apart, nothing in it believed yet except that its algorithm is one of the nine. */
export interface CompactJws {
  readonly kind: TokenKind;
  readonly token: string;
  readonly header: JsonObject;
  readonly algorithm: AlgorithmRow;
  readonly payload: Uint8Array;
  /** The very bytes received up to the second dot (RFC 7515 section 5.2). */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Takes a compact JWS apart: size first, then shape, then `alg` before anything behind the header is decoded (JWT-14).
 *
 * @throws SpiffeError of the kind's code
 */
export function readCompactJws(token: string, kind: TokenKind): CompactJws {
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) {
    throw refused(kind, kind.shape, `longer than ${MAX_TOKEN_LENGTH} characters`);
  }
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first === -1 || second === -1) throw refused(kind, kind.shape, 'not in compact serialization');

  const header = readObject(part(token.slice(0, first), kind), HEADER_LIMITS, kind);
  const algorithm = algorithmNamed(header['alg']);
  if (algorithm === undefined) throw refused(kind, kind.algorithm, 'the algorithm is not allowed');

  return {
    kind,
    token,
    header,
    algorithm,
    payload: part(token.slice(first + 1, second), kind),
    // A third dot is outside the alphabet, so five-part tokens end here.
    signature: part(token.slice(second + 1), kind),
    signed: ASCII.encode(token.slice(0, second)),
  };
}

/**
 * The claims, read within fixed bounds of size and depth.
 *
 * @throws SpiffeError of the kind's code
 */
export function readClaims(jws: CompactJws): JsonObject {
  return readObject(jws.payload, CLAIMS_LIMITS, jws.kind);
}

function part(text: string, kind: TokenKind): Uint8Array {
  const bytes = decodeBase64url(text);
  if (bytes === undefined || bytes.length === 0) throw refused(kind, kind.shape, 'a part is not base64url');
  return bytes;
}

function readObject(
  bytes: Uint8Array,
  limits: { readonly maxBytes: number; readonly maxDepth: number },
  kind: TokenKind,
): JsonObject {
  const notObject = (cause?: unknown): SpiffeError => refused(kind, kind.claims, 'a part is no JSON object', cause);
  try {
    const value = parseJson(bytes, limits);
    if (isJsonObject(value)) return value;
  } catch (cause) {
    throw notObject(cause);
  }
  throw notObject();
}
