import { Code, GrpcError, hasExactly, type Middleware } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';

/**
 * The header that shows that a call was not forged through somebody's browser or proxy (Workload Endpoint section 3).
 * The other services on the socket, such as health and secret discovery, have clients that know nothing of it.
 */
export const securityHeader: Middleware = async ({ ctx, service }, next) => {
  const isAsked = service.typeName === SpiffeWorkloadAPI.typeName;
  if (isAsked && !hasExactly(ctx.metadata, 'workload.spiffe.io', 'true')) {
    throw GrpcError.of(Code.INVALID_ARGUMENT, 'security header missing from request');
  }
  await next();
};
