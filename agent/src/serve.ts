import type { Clock, Logger } from '@steeple/daemon';
import type { PeerCredentials } from '@steeple/daemon/listen';
import type { HealthState, Middleware } from '@steeple/proto/grpc';
import { Callers } from './api/callers.ts';
import { debugHandlers } from './api/debug.ts';
import { delegatedIdentityHandlers } from './api/delegated-identity.ts';
import { Delegates } from './api/delegates.ts';
import { loggerHandlers } from './api/logger.ts';
import { secretDiscoveryHandlers } from './api/secret-discovery.ts';
import { serverFailure } from './api/server-failure.ts';
import { workloadHandlers } from './api/workload.ts';
import { WorkloadCalls } from './api/workload-calls.ts';
import type { Assembled } from './assemble.ts';
import type { AgentConfig } from './config.ts';
import { AdminSocket } from './endpoints/admin-socket.ts';
import { WorkloadSocket } from './endpoints/workload-socket.ts';

export interface ServeParts {
  readonly config: AgentConfig;
  readonly agent: Assembled;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: HealthState;
  /** Around every call, outermost. */
  readonly middleware: readonly Middleware[];
}

type PeerOf = (peerKey: string) => PeerCredentials | undefined;

/** Opens the sockets of an agent; the stack closes them, with seconds of grace for single calls. @throws ConfigError */
export async function serveLocally(parts: ServeParts, stack: AsyncDisposableStack, grace: number): Promise<void> {
  const { config, clock, logger, health, middleware } = parts;
  const rim = { clock, logger, middleware };
  const { workloadApi, secretDiscovery } = config;
  if (workloadApi || secretDiscovery !== undefined) {
    const socket = await WorkloadSocket.listen({
      ...rim,
      path: config.socketPath,
      health,
      handlers: (peerOf) => ({
        workload: workloadApi ? workloadApiOf(parts, peerOf) : undefined,
        secrets: secretDiscovery && secretDiscoveryOf(parts, secretDiscovery, peerOf),
      }),
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

function workloadApiOf({ agent, config, clock }: ServeParts, peerOf: PeerOf) {
  const { cache, attestation, streams, jwts, wits, faults } = agent;
  return workloadHandlers({
    calls: new WorkloadCalls({ cache, callers: new Callers({ attestation, streams, peerOf }) }),
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
  peerOf: PeerOf,
) {
  const { cache, attestation, streams } = agent;
  return secretDiscoveryHandlers({ cache, logger, settings, callers: new Callers({ attestation, streams, peerOf }) });
}

function adminApisOf({ agent, config, clock, logger }: ServeParts, peerOf: PeerOf) {
  const { cache, attestation, streams, jwts, current, sync } = agent;
  const callers = new Callers({ attestation, streams, peerOf });
  const delegates = new Delegates({ callers, cache, attestation, streams, authorized: config.authorizedDelegates });
  return {
    delegatedIdentity: delegatedIdentityHandlers({ delegates, cache, jwts, logger }),
    debug: debugHandlers({ current, cache, jwts, sync, clock }),
    logger: loggerHandlers(logger),
  };
}
