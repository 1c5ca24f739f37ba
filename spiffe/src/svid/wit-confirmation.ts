import type { KeyObject } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../json/json-value.ts';
import { type AlgorithmRow, algorithmFits, algorithmNamed } from '../jwt/algorithm.ts';
import { publicKeyFromJwk } from '../jwt/jwk.ts';
import { refused, WIT_SVID } from '../jwt/token-kind.ts';

/** The key a WIT-SVID is bound to, and the algorithm of proofs made with it. */
export interface WitConfirmation {
  readonly publicKey: KeyObject;
  readonly algorithm: AlgorithmRow;
}

/** Other ways to name a key (RFC 7800 section 3). A second one beside `jwk` could name a second key. */
const OTHER_METHODS = ['jwe', 'jku', 'kid', 'x5t#S256', 'jkt'];

/**
 * Reads `cnf`: one public JWK with an `alg` of the nine that belongs to it (WIT-SVID section 3.2, RFC 7800 section 3.2).
 *
 * @throws SpiffeError `invalid-token`
 */
export function readConfirmation(claims: JsonObject): WitConfirmation {
  const { cnf } = claims;
  if (cnf === undefined) throw refused(WIT_SVID, 'WIT-11', 'no confirmation');
  const jwk = isJsonObject(cnf) ? cnf['jwk'] : undefined;
  if (!isJsonObject(cnf) || !isJsonObject(jwk)) throw refused(WIT_SVID, 'WIT-12', 'the confirmation holds no JWK');
  if (OTHER_METHODS.some((method) => method in cnf)) {
    throw refused(WIT_SVID, 'WIT-12', 'the confirmation names its key in two ways');
  }

  const algorithm = algorithmNamed(jwk['alg']);
  if (algorithm === undefined) throw refused(WIT_SVID, 'WIT-13', 'the algorithm of the confirmation is not allowed');
  const publicKey = confirmationKey(jwk);
  if (algorithmFits(algorithm, publicKey)) return { publicKey, algorithm };
  throw refused(WIT_SVID, 'WIT-H1', 'the algorithm of the confirmation does not belong to its key');
}

function confirmationKey(jwk: JsonObject): KeyObject {
  try {
    return publicKeyFromJwk(jwk);
  } catch (cause) {
    throw refused(WIT_SVID, 'WIT-12', 'the confirmation holds no usable public key', cause);
  }
}
