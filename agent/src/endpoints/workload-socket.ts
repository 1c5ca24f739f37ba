import { dirname } from 'node:path';
import { aboutSetting, type Clock, ensureDir, type Logger } from '@steeple/daemon';
import { describePeer, GrpcHost, type PeerCredentials, UnixListener } from '@steeple/daemon/listen';
import { SecretDiscoveryService } from '@steeple/proto/envoy';
import {
  type CallContext,
  type Handlers,
  type HealthState,
  healthHandlers,
  type Middleware,
  reflectionHandlers,
} from '@steeple/proto/grpc';
import { healthV1, reflectionV1, reflectionV1alpha } from '@steeple/proto/infra';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { securityHeader } from '../api/security-header.ts';
import { logCalls } from './log-calls.ts';

export interface WorkloadSocketParts {
  readonly path: string;
  readonly health: HealthState;
  readonly clock: Clock;
  readonly logger: Logger;
  /** More to say of a call in its log line. */
  readonly describe?: (ctx: CallContext) => Record<string, unknown>;
  /** Around every call, outermost. */
  readonly middleware?: readonly Middleware[];
  /** Given the way to learn who is behind a connection. An API without handlers is not offered. */
  readonly handlers: (peerOf: (peerKey: string) => PeerCredentials | undefined) => {
    readonly workload?: Handlers<typeof SpiffeWorkloadAPI> | undefined;
    readonly secrets?: Handlers<typeof SecretDiscoveryService> | undefined;
  };
}

/** Workloads in containers are often all of one user, so one user may have most of what there is, though not all. */
const CONNECTIONS = { maxConnections: 20_000, maxConnectionsPerUid: 10_000 };

/** Many clients open a stream, take the first answer and leave. */
const CANCELLATIONS = 100_000;

/** The socket that workloads connect to: the Workload API, Envoy's secret discovery, health and reflection. */
export class WorkloadSocket {
  readonly #host: GrpcHost;
  readonly #listener: UnixListener;

  private constructor(host: GrpcHost, listener: UnixListener) {
    this.#host = host;
    this.#listener = listener;
  }

  /** @throws ConfigError when the path cannot be used */
  static async listen({ path, health, clock, logger, ...parts }: WorkloadSocketParts): Promise<WorkloadSocket> {
    const host: GrpcHost = new GrpcHost({
      logger,
      clock,
      options: { cancellations: CANCELLATIONS },
      middleware: [
        ...(parts.middleware ?? []),
        logCalls(logger, clock, (ctx) => ({ ...describePeer(host.peer(ctx.peerKey)), ...parts.describe?.(ctx) })),
        securityHeader,
      ],
    });
    const peerOf = (peerKey: string) => {
      const peer = host.peer(peerKey);
      return peer?.kind === 'unix' ? peer.credentials : undefined;
    };
    const { workload, secrets } = parts.handlers(peerOf);
    if (workload !== undefined) host.add(SpiffeWorkloadAPI, workload);
    if (secrets !== undefined) host.add(SecretDiscoveryService, secrets);
    const reflection = reflectionHandlers([
      ...(workload === undefined ? [] : [SpiffeWorkloadAPI]),
      ...(secrets === undefined ? [] : [SecretDiscoveryService]),
      healthV1.Health,
    ]);
    host.add(healthV1.Health, healthHandlers(health));
    host.add(reflectionV1.ServerReflection, reflection.v1);
    host.add(reflectionV1alpha.ServerReflection, reflection.v1alpha);
    return aboutSetting('agent.socket_path', async () => {
      // Everybody on this node may connect: who they are is found out afterwards.
      await ensureDir(dirname(path), 0o755);
      const options = { host, mode: 'public', logger, repairAuthority: true, ...CONNECTIONS } as const;
      const listener = await UnixListener.listen(path, options);
      return new WorkloadSocket(host, listener);
    });
  }

  /** Ends every stream with UNAVAILABLE, lets single calls finish for so many seconds, and stops listening. */
  async close(graceSeconds: number): Promise<void> {
    await this.#listener.close();
    await this.#host.drain(graceSeconds);
  }
}
