import type { Metrics } from '@steeple/daemon/metrics';
import { debugV1, delegatedidentityV1, loggerV1 } from '@steeple/proto/agent-api';
import { SecretDiscoveryService } from '@steeple/proto/envoy';
import type { Middleware } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';

/** What SPIRE calls connections: the running calls of each API. Health and reflection are not counted. */
const NAMES: ReadonlyMap<string, string> = new Map([
  [SpiffeWorkloadAPI.typeName, 'workload_api'],
  [SecretDiscoveryService.typeName, 'sds_api'],
  [delegatedidentityV1.DelegatedIdentity.typeName, 'delegated_identity_api'],
  [debugV1.Debug.typeName, 'debug_api'],
  [loggerV1.Logger.typeName, 'logger_api'],
]);

/** Counts calls as they begin, and how many there are. */
export function measureStreams(metrics: Metrics): Middleware {
  const running = new Map<string, number>();
  const change = (name: string, by: number) => {
    const count = (running.get(name) ?? 0) + by;
    running.set(name, count);
    metrics.gauge(`${name}.connections`, count);
  };
  return async ({ service }, next) => {
    const name = NAMES.get(service.typeName);
    if (name === undefined) return next();
    metrics.counter(`${name}.connection`);
    change(name, 1);
    try {
      await next();
    } finally {
      change(name, -1);
    }
  };
}
