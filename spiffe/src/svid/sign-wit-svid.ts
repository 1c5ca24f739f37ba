import type { KeyObject } from 'node:crypto';
import { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import { defaultAlgorithm, publicJwk } from '../jwt/jwk.ts';
import { type JwtSigner, signCompactJws } from '../jwt/sign-compact-jws.ts';
import { requireIssuable, wholeSeconds } from './token-content.ts';

/** What a WIT-SVID shall say. Times are Unix seconds and are cut to whole ones. */
export interface WitSvidContent {
  readonly id: SpiffeId;
  /** The workload's key; only its public half goes in. */
  readonly publicKey: KeyObject;
  /** Algorithm of the workload's proofs; by default the usual one of the key. */
  readonly algorithm?: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Not a URL at which an OpenID provider could be discovered (WIT-23). */
  readonly issuer?: string | undefined;
  readonly jti?: string | undefined;
}

/**
 * Issues a WIT-SVID (WIT-SVID sections 2 and 3).
 *
 * @throws SpiffeError `unsupported-key` if either key cannot sign tokens or the algorithm is not the key's, `invalid-id`
 * for a whole trust domain, `invalid-token` for an issuer that looks like an OpenID provider
 */
export async function signWitSvid(key: JwtSigner, content: WitSvidContent): Promise<string> {
  const { id, publicKey, algorithm, issuer, jti } = content;
  requireIssuable(id);
  if (issuer !== undefined) requireNoDiscovery(issuer);
  return signCompactJws(key, 'wit+jwt', {
    cnf: { jwk: publicJwk(publicKey, { alg: algorithm ?? defaultAlgorithm(publicKey) }) },
    exp: wholeSeconds(content.expiresAt),
    iat: wholeSeconds(content.issuedAt),
    ...(issuer === undefined ? undefined : { iss: issuer }),
    ...(jti === undefined ? undefined : { jti }),
    sub: id.toString(),
  });
}

function requireNoDiscovery(issuer: string): void {
  if (!/^https?:/i.test(issuer)) return;
  throw new SpiffeError('invalid-token', 'the issuer of a WIT-SVID must not look like an OpenID provider', {
    rule: 'WIT-23',
  });
}
