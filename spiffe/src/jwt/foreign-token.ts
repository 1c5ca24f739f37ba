import type { KeyObject } from 'node:crypto';
import type { JsonObject } from '../json/json-value.ts';
import { readClaims, readCompactJws } from './compact-jws.ts';
import { verifyWith } from './signature.ts';
import { refused, type TokenKind } from './token-kind.ts';

/** A JWT that no SPIFFE issuer made, such as a Kubernetes service account's, taken apart. Nothing in it is believed yet. */
export interface ForeignToken {
  readonly kid: string | undefined;
  readonly claims: JsonObject;
  /** Whether this key made its signature, by the algorithm that the token names; false as well if the two do not fit. */
  isSignedBy(key: KeyObject): boolean;
}

const RFC = 'RFC 7519';
const FOREIGN: TokenKind = {
  name: 'token',
  code: 'invalid-token',
  shape: RFC,
  algorithm: RFC,
  claims: RFC,
  subject: RFC,
  keys: RFC,
  signature: RFC,
  expiryMissing: RFC,
  expired: RFC,
  notBefore: RFC,
};

/**
 * Reads a signed JWT of bounded size in compact serialization. Only asymmetric algorithms count.
 *
 * @throws SpiffeError `invalid-token`, never quoting the token
 */
export function readForeignToken(token: string): ForeignToken {
  const jws = readCompactJws(token, FOREIGN);
  const { kid, crit } = jws.header;
  if (kid !== undefined && typeof kid !== 'string') throw refused(FOREIGN, FOREIGN.shape, 'the key id is no text');
  // RFC 7515 section 4.1.11: what must be understood is not.
  if (crit !== undefined) throw refused(FOREIGN, FOREIGN.shape, 'a critical header is not supported');
  return {
    kid,
    claims: readClaims(jws),
    isSignedBy: (key) => verifyWith(jws.algorithm, key, jws.signed, jws.signature),
  };
}
