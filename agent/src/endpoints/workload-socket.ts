import { dirname } from 'node:path';
import { aboutSetting, type Clock, ensureDir, type Logger } from '@steeple/daemon';
import { describePeer, GrpcHost, logCalls, type PeerCredentials, UnixListener } from '@steeple/daemon/listen';
import { type Handlers, type HealthState, healthHandlers, reflectionHandlers } from '@steeple/proto/grpc';
import { healthV1, reflectionV1, reflectionV1alpha } from '@steeple/proto/infra';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { securityHeader } from '../api/security-header.ts';

export interface WorkloadSocketParts {
  readonly path: string;
  readonly health: HealthState;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Given the way to learn who is behind a connection. */
  readonly handlers: (peerOf: (peerKey: string) => PeerCredentials | undefined) => Handlers<typeof SpiffeWorkloadAPI>;
}

/** The socket that workloads connect to: the Workload API, health and reflection. */
export class WorkloadSocket {
  readonly #host: GrpcHost;
  readonly #listener: UnixListener;

  private constructor(host: GrpcHost, listener: UnixListener) {
    this.#host = host;
    this.#listener = listener;
  }

  /** @throws ConfigError when the path cannot be used */
  static async listen({ path, health, clock, logger, handlers }: WorkloadSocketParts): Promise<WorkloadSocket> {
    const host: GrpcHost = new GrpcHost({
      logger,
      clock,
      middleware: [logCalls(logger, clock, ({ peerKey }) => describePeer(host.peer(peerKey))), securityHeader],
    });
    const peerOf = (peerKey: string) => {
      const peer = host.peer(peerKey);
      return peer?.kind === 'unix' ? peer.credentials : undefined;
    };
    const reflection = reflectionHandlers([SpiffeWorkloadAPI, healthV1.Health]);
    host.add(SpiffeWorkloadAPI, handlers(peerOf));
    host.add(healthV1.Health, healthHandlers(health));
    host.add(reflectionV1.ServerReflection, reflection.v1);
    host.add(reflectionV1alpha.ServerReflection, reflection.v1alpha);
    return aboutSetting('agent.socket_path', async () => {
      // Everybody on this node may connect: who they are is found out afterwards.
      await ensureDir(dirname(path), 0o755);
      const listener = await UnixListener.listen(path, { host, mode: 'public', logger, repairAuthority: true });
      return new WorkloadSocket(host, listener);
    });
  }

  /** Ends every stream with UNAVAILABLE, lets single calls finish for so many seconds, and stops listening. */
  async close(graceSeconds: number): Promise<void> {
    await this.#listener.close();
    await this.#host.drain(graceSeconds);
  }
}
