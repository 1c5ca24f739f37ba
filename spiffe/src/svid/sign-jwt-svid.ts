import { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import { type JwtSigner, signCompactJws } from '../jwt/sign-compact-jws.ts';
import { requireIssuable, wholeSeconds } from './token-content.ts';

/** What a JWT-SVID shall say. Times are Unix seconds and are cut to whole ones. */
export interface JwtSvidContent {
  readonly id: SpiffeId;
  /** At least one, none empty; one is best (JWT-11). */
  readonly audience: readonly string[];
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly issuer?: string | undefined;
  readonly jti?: string | undefined;
  /** Further claims. They cannot replace one that is set from the fields above, or add `nbf`. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

const REGISTERED = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];

/**
 * Issues a JWT-SVID (JWT-SVID sections 2 and 3).
 *
 * @throws SpiffeError `unsupported-key` if the key may not sign tokens, `wrong-audience` for an empty audience,
 * `invalid-id` for a whole trust domain, `invalid-token` if the result would be too long
 */
export async function signJwtSvid(key: JwtSigner, content: JwtSvidContent): Promise<string> {
  const { id, audience, issuer, jti, extra } = content;
  requireIssuable(id);
  requireAudience(audience);
  if (extra !== undefined) requireUnregistered(extra);
  return signCompactJws(key, 'JWT', {
    ...extra,
    aud: audience,
    exp: wholeSeconds(content.expiresAt),
    iat: wholeSeconds(content.issuedAt),
    ...(issuer === undefined ? undefined : { iss: issuer }),
    ...(jti === undefined ? undefined : { jti }),
    sub: id.toString(),
  });
}

function requireAudience(audience: readonly string[]): void {
  if (audience.length > 0 && audience.every((value) => value !== '' && value.isWellFormed())) return;
  throw new SpiffeError('wrong-audience', 'a JWT-SVID needs audiences, none of them empty', { rule: 'JWT-09' });
}

function requireUnregistered(extra: Readonly<Record<string, unknown>>): void {
  if (REGISTERED.some((name) => name in extra)) throw new TypeError('extra claims must not be registered ones');
}
