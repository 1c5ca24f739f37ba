import type { Clock, Logger } from '@steeple/daemon';
import { logLevelHandlers, type PeerCredentials } from '@steeple/daemon/listen';
import type { Metrics } from '@steeple/daemon/metrics';
import type { HealthState, Middleware } from '@steeple/proto/grpc';
import { Callers } from './api/callers.ts';
import { debugHandlers } from './api/debug.ts';
import { delegatedIdentityHandlers } from './api/delegated-identity.ts';
import { Delegates } from './api/delegates.ts';
import { secretDiscoveryHandlers } from './api/secret-discovery.ts';
import { serverFailure } from './api/server-failure.ts';
import { workloadHandlers } from './api/workload.ts';
import { WorkloadCalls } from './api/workload-calls.ts';
import { CallLimits } from './app/call-limits.ts';
import { LoggableSelectors } from './app/loggable-selectors.ts';
import type { Assembled } from './assemble.ts';
import type { AgentConfig, RateLimitSettings } from './config.ts';
import { AdminSocket } from './endpoints/admin-socket.ts';
import { WorkloadSocket } from './endpoints/workload-socket.ts';
import { measureStreams } from './metrics/measure-streams.ts';

export interface ServeParts {
  readonly config: AgentConfig;
  readonly agent: Assembled;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: HealthState;
  readonly metrics: Metrics;
  /** Around every call, outermost. */
  readonly middleware: readonly Middleware[];
}

type PeerOf = (peerKey: string) => PeerCredentials | undefined;

/** Opens the sockets of an agent; the stack closes them, with seconds of grace for single calls. @throws ConfigError */
export async function serveLocally(parts: ServeParts, stack: AsyncDisposableStack, grace: number): Promise<void> {
  const { config, clock, logger, health, metrics } = parts;
  const rim = { clock, logger, middleware: [...parts.middleware, measureStreams(metrics)] };
  const limits = new CallLimits({ limits: limitsByMethod(config.rateLimits), clock, metrics });
  const loggable = new LoggableSelectors(config.logSelectors);
  const { workloadApi, secretDiscovery } = config;
  if (workloadApi || secretDiscovery !== undefined) {
    const socket = await WorkloadSocket.listen({
      ...rim,
      path: config.socketPath,
      health,
      describe: (ctx) => loggable.fieldsOf(ctx),
      handlers: (peerOf) => {
        const callers = callersOf(parts, peerOf, { limits, loggable });
        return {
          workload: workloadApi ? workloadApiOf(parts, callers) : undefined,
          secrets: secretDiscovery && secretDiscoveryOf(parts, secretDiscovery, callers),
        };
      },
    });
    stack.defer(() => socket.close(grace));
    logger.info(workloadApi ? 'Serving the Workload API' : 'Serving secret discovery', { socket: config.socketPath });
  }
  if (config.adminSocketPath !== undefined) {
    const socket = await AdminSocket.listen({
      ...rim,
      path: config.adminSocketPath,
      handlers: (peerOf) => adminApisOf(parts, peerOf),
    });
    stack.defer(() => socket.close(grace));
    logger.info('Serving the admin APIs', { socket: config.adminSocketPath });
  }
}

function workloadApiOf({ agent, config, clock }: ServeParts, callers: Callers) {
  const { cache, jwts, wits, faults } = agent;
  return workloadHandlers({
    calls: new WorkloadCalls({ cache, callers }),
    jwts,
    wits,
    clock,
    settings: config,
    serverFailure: (error) => {
      faults.report(error);
      return serverFailure(error);
    },
  });
}

function secretDiscoveryOf(
  { agent, logger }: ServeParts,
  settings: NonNullable<AgentConfig['secretDiscovery']>,
  callers: Callers,
) {
  return secretDiscoveryHandlers({ cache: agent.cache, logger, settings, callers });
}

function callersOf(
  { agent: { attestation, streams } }: ServeParts,
  peerOf: PeerOf,
  more: { readonly limits?: CallLimits; readonly loggable?: LoggableSelectors } = {},
): Callers {
  return new Callers({ attestation, streams, peerOf, ...more });
}

function adminApisOf(parts: ServeParts, peerOf: PeerOf) {
  const { agent, config, clock, logger } = parts;
  const { cache, attestation, streams, jwts, current, sync } = agent;
  const callers = callersOf(parts, peerOf);
  const delegates = new Delegates({ callers, cache, attestation, streams, authorized: config.authorizedDelegates });
  return {
    delegatedIdentity: delegatedIdentityHandlers({ delegates, cache, jwts, logger }),
    debug: debugHandlers({ current, cache, jwts, sync, clock }),
    logger: logLevelHandlers(logger),
  };
}

function limitsByMethod(settings: RateLimitSettings): ReadonlyMap<string, number> {
  return new Map([
    ['/SpiffeWorkloadAPI/FetchX509SVID', settings.fetch_x509_svid],
    ['/SpiffeWorkloadAPI/FetchJWTSVID', settings.fetch_jwt_svid],
    ['/SpiffeWorkloadAPI/FetchX509Bundles', settings.fetch_x509_bundles],
    ['/SpiffeWorkloadAPI/FetchJWTBundles', settings.fetch_jwt_bundles],
    ['/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets', settings.stream_secrets],
    ['/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets', settings.fetch_secrets],
  ]);
}
