import { requireHeader } from '@steeple/daemon/listen';
import type { Middleware } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';

const checkHeader = requireHeader('workload.spiffe.io', 'true', 'security header missing from request');

/**
 * The header that shows that a call was not forged through somebody's browser or proxy (Workload Endpoint section 3).
 * The other services on the socket, such as health and secret discovery, have clients that know nothing of it.
 */
export const securityHeader: Middleware = (call, next) =>
  call.service.typeName === SpiffeWorkloadAPI.typeName ? checkHeader(call, next) : next();
