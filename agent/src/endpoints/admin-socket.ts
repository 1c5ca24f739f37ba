import { dirname } from 'node:path';
import { aboutSetting, type Clock, ensureDir, type Logger } from '@steeple/daemon';
import { describePeer, GrpcHost, type PeerCredentials, UnixListener } from '@steeple/daemon/listen';
import { debugV1, delegatedidentityV1, loggerV1 } from '@steeple/proto/agent-api';
import type { Handlers, Middleware } from '@steeple/proto/grpc';
import { logCalls } from './log-calls.ts';

export interface AdminSocketParts {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Around every call, outermost. */
  readonly middleware: readonly Middleware[];
  /** Given the way to learn who is behind a connection. */
  readonly handlers: (peerOf: (peerKey: string) => PeerCredentials | undefined) => {
    readonly delegatedIdentity: Handlers<typeof delegatedidentityV1.DelegatedIdentity>;
    readonly debug: Handlers<typeof debugV1.Debug>;
    readonly logger: Handlers<typeof loggerV1.Logger>;
  };
}

/** The socket for this node's administrators and delegates. Whoever can open it may read the state and set the log level. */
export class AdminSocket {
  readonly #host: GrpcHost;
  readonly #listener: UnixListener;

  private constructor(host: GrpcHost, listener: UnixListener) {
    this.#host = host;
    this.#listener = listener;
  }

  /** @throws ConfigError when the path cannot be used */
  static async listen({ path, clock, logger, middleware, handlers }: AdminSocketParts): Promise<AdminSocket> {
    const host: GrpcHost = new GrpcHost({
      logger,
      clock,
      middleware: [...middleware, logCalls(logger, clock, ({ peerKey }) => describePeer(host.peer(peerKey)))],
    });
    const apis = handlers((peerKey) => {
      const peer = host.peer(peerKey);
      return peer?.kind === 'unix' ? peer.credentials : undefined;
    });
    host.add(delegatedidentityV1.DelegatedIdentity, apis.delegatedIdentity);
    host.add(debugV1.Debug, apis.debug);
    host.add(loggerV1.Logger, apis.logger);
    return aboutSetting('agent.admin_socket_path', async () => {
      await ensureDir(dirname(path), 0o755);
      const listener = await UnixListener.listen(path, { host, mode: 'private', logger, repairAuthority: true });
      return new AdminSocket(host, listener);
    });
  }

  /** Ends every stream with UNAVAILABLE, lets single calls finish for so many seconds, and stops listening. */
  async close(graceSeconds: number): Promise<void> {
    await this.#listener.close();
    await this.#host.drain(graceSeconds);
  }
}
