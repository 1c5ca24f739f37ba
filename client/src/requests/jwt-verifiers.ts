import type { Metadata } from '@grpc/grpc-js';
import { Code, GrpcError } from '@steeple/proto/grpc';
import type { ValidatedJwtSvid } from '../workload-api/read-jwt-svids.ts';
import { fieldOf, type ServerRequest } from './request-fields.ts';
import { RequestRefused } from './request-refused.ts';
import { requireServiceAudience } from './service-audience.ts';
import { type JwtRequestPolicy, verifyBearer } from './verify-bearer.ts';

/**
 * Finds out who sent an HTTP request, by the JWT-SVID in `Authorization`. Serve over TLS only: whoever sees a bearer token
 * can use it.
 *
 * @throws TypeError for an audience that is no single service
 */
export function jwtRequestVerifier(policy: JwtRequestPolicy): (request: ServerRequest) => Promise<ValidatedJwtSvid> {
  requireServiceAudience(policy.audience);
  return async (request) => verifyBearer(fieldOf(request, 'authorization'), policy);
}

const STATUSES = {
  400: Code.UNAUTHENTICATED,
  401: Code.UNAUTHENTICATED,
  403: Code.PERMISSION_DENIED,
  503: Code.UNAVAILABLE,
} as const;

/**
 * Finds out who made a gRPC call, by the JWT-SVID in its metadata. Fails with a `GrpcError` (UNAUTHENTICATED,
 * PERMISSION_DENIED, UNAVAILABLE) that a grpc-js handler may hand to its callback as it is.
 *
 * @throws TypeError for an audience that is no single service
 */
export function jwtCallVerifier(
  policy: JwtRequestPolicy,
): (call: { readonly metadata: Metadata }) => Promise<ValidatedJwtSvid> {
  requireServiceAudience(policy.audience);
  return async ({ metadata }) => {
    const values = metadata.get('authorization').map(String);
    if (values.length > 1) throw new GrpcError(Code.UNAUTHENTICATED, 'more than one authorization in the metadata');
    try {
      return await verifyBearer(values[0], policy);
    } catch (cause) {
      if (!(cause instanceof RequestRefused)) throw cause;
      throw new GrpcError(STATUSES[cause.status], cause.message, { cause });
    }
  };
}
