import type { BundleSource } from '../bundle/bundle-source.ts';
import type { TokenAuthority } from '../bundle/token-authority.ts';
import type { TrustBundle } from '../bundle/trust-bundle.ts';
import { algorithmFits } from '../jwt/algorithm.ts';
import { type CompactJws, readClaims, readCompactJws } from '../jwt/compact-jws.ts';
import { JWT_SVID, refused } from '../jwt/token-kind.ts';
import { type JwtSvid, jwtSvidOf, requireAudience, requireJwtHeader, requireOwnAudience } from './jwt-svid.ts';
import { momentOf, requireStarted, requireSubject, requireUnexpired } from './token-claims.ts';
import { readKid, requireBundle, requireSignature } from './token-trust.ts';

export interface VerifyJwtSvidOptions {
  /** Unix seconds. */
  readonly now: number;
  /** Forgiven difference between clocks in seconds, 0 to 120; default 60. */
  readonly leeway?: number;
  /** Whether a token may leave out `kid`, as JWT-SVID section 2.2 lets it; default true. */
  readonly allowMissingKid?: boolean;
}

/** Keys tried for a token without a key id. */
const MAX_KEYS_TRIED = 16;

/**
 * Verifies a JWT-SVID (JWT-SVID section 4). The order is part of the safety: size, shape and algorithm before anything is
 * decoded, and of the claims only the subject, which names the bundle, is used before the signature is known to be right.
 *
 * @param audience the verifier's own names; the token must be meant for one of them
 * @throws SpiffeError `invalid-token`, `no-bundle`, `untrusted`, `wrong-audience`, `expired`, `not-yet-valid`
 * @throws RangeError for a leeway that is not allowed
 */
export function verifyJwtSvid(
  token: string,
  bundles: BundleSource,
  audience: readonly string[],
  options: VerifyJwtSvidOptions,
): JwtSvid {
  const accepted = requireOwnAudience(audience); // JWT-26
  const moment = momentOf(options);

  const jws = readCompactJws(token, JWT_SVID); // JWT-01, JWT-03, JWT-05, JWT-14, JWT-17
  requireJwtHeader(jws); // JWT-07, JWT-H1
  const claims = readClaims(jws); // JWT-H2, bounded in size and depth
  const id = requireSubject(claims, JWT_SVID); // JWT-08, JWT-H3
  const bundle = requireBundle(jws, id, bundles); // ID-28
  requireSignature(jws, candidates(jws, bundle, options.allowMissingKid ?? true)); // JWT-06, JWT-22, JWT-23, JWT-25

  const meantFor = requireAudience(claims, accepted); // JWT-10
  requireUnexpired(claims, moment, JWT_SVID); // JWT-13, JWT-15
  requireStarted(claims, moment, JWT_SVID); // JWT-H2
  return jwtSvidOf(jws, id, claims, meantFor);
}

/** The one key the token names; without a name, the keys that could have made the signature (JWT-06). */
function candidates(jws: CompactJws, bundle: TrustBundle, allowMissingKid: boolean): readonly TokenAuthority[] {
  const kid = readKid(jws);
  if (kid !== undefined) {
    const authority = bundle.jwtAuthority(kid);
    return authority === undefined ? [] : [authority];
  }
  if (!allowMissingKid) throw refused(JWT_SVID, 'JWT-06', 'no key id');
  return bundle.jwtAuthorities
    .filter(({ publicKey }) => algorithmFits(jws.algorithm, publicKey))
    .slice(0, MAX_KEYS_TRIED);
}
