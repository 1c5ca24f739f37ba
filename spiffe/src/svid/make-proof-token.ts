import { createPublicKey, type KeyObject } from 'node:crypto';
import { encodeBase64url } from '../encoding/base64.ts';
import { readClaims } from '../jwt/compact-jws.ts';
import { encodeJson } from '../jwt/sign-compact-jws.ts';
import { signWith } from '../jwt/signature.ts';
import { PROOF_TOKEN, refused } from '../jwt/token-kind.ts';
import { type CoveredTokens, coverageClaims, MAX_PROOF_LIFETIME, tokenHash } from './proof-token.ts';
import { wholeSeconds } from './token-content.ts';
import { readConfirmation } from './wit-confirmation.ts';
import { readWitSvid } from './wit-header.ts';

/** WIT-38: the shortest useful period. */
const DEFAULT_LIFETIME = 60;
const UTF8 = new TextEncoder();

export interface ProofTokenContent {
  /** URI of the request, without query and fragment. */
  readonly audience: string;
  /** Unix seconds. */
  readonly now: number;
  /** Unique, of at least 128 random bits. */
  readonly jti: string;
  /** Seconds, more than 0 and at most 300; default 60. */
  readonly lifetime?: number;
  /** Other tokens in the same request. */
  readonly covered?: CoveredTokens;
}

/**
 * Makes the proof that goes with one presentation of a WIT-SVID (WIMSE Workload Proof Token).
 *
 * @throws SpiffeError `invalid-token` if the WIT-SVID cannot be read, `invalid-proof` if it is bound to another key or the
 * audience has a query or fragment
 */
export function makeProofToken(wit: string, privateKey: KeyObject, content: ProofTokenContent): string {
  const { audience, now, jti, lifetime = DEFAULT_LIFETIME } = content;
  if (!(lifetime > 0 && lifetime <= MAX_PROOF_LIFETIME)) throw new RangeError('lifetime must be 1 to 300 seconds');
  if (jti === '') throw new TypeError('a proof token needs an id');
  if (audience === '' || /[?#]/.test(audience)) {
    throw refused(PROOF_TOKEN, 'WIT-28', 'the audience is a URI without query and fragment');
  }

  const { publicKey, algorithm } = readConfirmation(readClaims(readWitSvid(wit)));
  if (!createPublicKey(privateKey).equals(publicKey)) {
    throw refused(PROOF_TOKEN, 'WIT-28', 'the WIT-SVID is bound to another key');
  }
  const claims = {
    aud: audience,
    exp: wholeSeconds(now + lifetime),
    jti,
    wth: tokenHash(wit),
    ...coverageClaims(content.covered ?? {}),
  };
  const signed = `${encodeJson({ alg: algorithm.name, typ: 'wpt+jwt' })}.${encodeJson(claims)}`;
  return `${signed}.${encodeBase64url(signWith(algorithm, privateKey, UTF8.encode(signed)))}`;
}
