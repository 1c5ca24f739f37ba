import { encodeBase64url } from '../encoding/base64.ts';
import { SpiffeError } from '../errors.ts';
import { KEY_TYPES } from '../keys/key-type.ts';
import type { Signer } from '../keys/signer.ts';
import { MAX_TOKEN_LENGTH } from './compact-jws.ts';
import { rawFromDer } from './raw-signature.ts';

/** A key of an issuer of tokens, under the id by which its bundle lists it. */
export interface JwtSigner {
  readonly kid: string;
  readonly signer: Signer;
}

const UTF8 = new TextEncoder();

/**
 * Signs claims as a compact JWS whose header is exactly `alg`, `kid` and `typ` (JWT-02, WIT-08).
 *
 * @throws SpiffeError `unsupported-key` if tokens may not be signed with such a key (JWT-04), `invalid-token` if the token
 * would be too long for verifiers
 */
export async function signCompactJws(
  { kid, signer }: JwtSigner,
  typ: 'JWT' | 'wit+jwt',
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { jwsAlgorithm, coordinateBytes } = KEY_TYPES[signer.type];
  if (jwsAlgorithm === undefined) {
    throw new SpiffeError('unsupported-key', `tokens are not signed with ${signer.type} keys`, { rule: 'JWT-04' });
  }
  if (kid === '') throw new TypeError('a signer of tokens needs a key id');

  const signed = `${encodeJson({ alg: jwsAlgorithm, kid, typ })}.${encodeJson(claims)}`;
  const signature = await signer.sign(UTF8.encode(signed));
  const raw = coordinateBytes === 0 ? signature : rawFromDer(signature, coordinateBytes);
  const token = `${signed}.${encodeBase64url(raw)}`;
  if (token.length > MAX_TOKEN_LENGTH) {
    throw new SpiffeError('invalid-token', `the token is longer than ${MAX_TOKEN_LENGTH} characters`);
  }
  return token;
}

/** One part of a token: JSON, UTF-8, base64url. */
export function encodeJson(value: Readonly<Record<string, unknown>>): string {
  return encodeBase64url(UTF8.encode(JSON.stringify(value)));
}
