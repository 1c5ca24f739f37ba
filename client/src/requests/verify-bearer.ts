import { Code, GrpcError } from '@steeple/proto/grpc';
import { SpiffeError } from '@steeple/spiffe';
import type { JwtSource } from '../sources/jwt-source.ts';
import type { Authorizer } from '../tls/authorize.ts';
import type { ValidatedJwtSvid } from '../workload-api/read-jwt-svids.ts';
import { RequestRefused, requireAuthorized } from './request-refused.ts';

/** How the JWT-SVID of a request is judged. */
export interface JwtRequestPolicy {
  /** Judges the token: a `JwtSource`, which asks the agent or judges with the bundles it follows. */
  readonly source: Pick<JwtSource, 'validate'>;
  /** Our own name, for which tokens must be meant. */
  readonly audience: string;
  /** Who may come in; the chain it is given is empty, since a token has none. */
  readonly authorize: Authorizer;
}

/**
 * Judges the value of `Authorization` (JWT-SVID sections 5.2 and 5.3).
 *
 * @throws RequestRefused 401, 403, or 503 when nobody can judge at the moment
 */
export async function verifyBearer(value: string | undefined, policy: JwtRequestPolicy): Promise<ValidatedJwtSvid> {
  if (value === undefined || value === '') {
    throw unauthenticated('no-credential', 'a JWT-SVID is needed: Authorization: Bearer …', 'Bearer');
  }
  const token = /^bearer +(\S+)$/i.exec(value.trim())?.[1];
  if (token === undefined) throw invalidToken('Authorization is no bearer token');
  const caller = await validate(token, policy);
  requireAuthorized(() => policy.authorize(caller.id, []));
  return caller;
}

async function validate(token: string, { source, audience }: JwtRequestPolicy): Promise<ValidatedJwtSvid> {
  try {
    return await source.validate(token, audience);
  } catch (cause) {
    if (isVerdict(cause)) throw invalidToken('the JWT-SVID is not valid for this service', cause);
    throw new RequestRefused(503, 'no-bundle', 'JWT-SVIDs cannot be judged at the moment', { cause });
  }
}

/** Whether the failure is about the token: the agent's verdict, or our own. */
function isVerdict(error: unknown): boolean {
  return error instanceof SpiffeError || (error instanceof GrpcError && error.code === Code.INVALID_ARGUMENT);
}

function invalidToken(message: string, cause?: unknown): RequestRefused {
  return unauthenticated('invalid-credential', message, 'Bearer error="invalid_token"', cause);
}

/** RFC 6750 section 3: a challenge, with an error only where a credential was presented. */
function unauthenticated(
  code: 'no-credential' | 'invalid-credential',
  message: string,
  challenge: string,
  cause?: unknown,
): RequestRefused {
  return new RequestRefused(401, code, message, { cause, headers: { 'www-authenticate': challenge } });
}
