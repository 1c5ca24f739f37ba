import { requireHeader } from '@steeple/daemon/listen';
import type { Middleware } from '@steeple/proto/grpc';
import { healthV1 } from '@steeple/proto/infra';

const checkHeader = requireHeader('workload.spiffe.io', 'true', 'security header missing from request');

/**
 * The header that shows that a call was not forged through somebody's browser or proxy (Workload Endpoint section 3).
 * Health probes know nothing of it and learn nothing that is worth forging.
 */
export const securityHeader: Middleware = (call, next) =>
  call.service.typeName === healthV1.Health.typeName ? next() : checkHeader(call, next);
