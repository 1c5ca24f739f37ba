import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { ConfigError } from '../config-error.ts';
import { reasonOf } from '../files.ts';
import type { Logger } from '../logger.ts';
import { checkSocketDirectory, removeStaleSocket } from '../socket-path.ts';
import { ConnectionLimits } from './connection-limits.ts';
import type { GrpcHost } from './grpc-host.ts';
import { peerCredentials } from './peer-credentials.ts';
import { repairAuthority } from './repair-authority.ts';

/** Who may connect: everybody, or the owner and the group. */
export type SocketMode = 'public' | 'private';

const modes: Readonly<Record<SocketMode, number>> = { public: 0o777, private: 0o660 };

export interface UnixListenerOptions {
  readonly host: GrpcHost;
  readonly mode: SocketMode;
  readonly logger: Logger;
  /** Accept clients that send the socket's path as `:authority`; for the Workload API. Costs a copy of each byte. */
  readonly repairAuthority?: boolean;
  readonly maxConnections?: number;
  readonly maxConnectionsPerUid?: number;
  readonly backlog?: number;
}

/** A Unix socket that knows each peer before it reads from it, and hands the connections to a gRPC host. */
export class UnixListener implements AsyncDisposable {
  readonly path: string;
  readonly #server: Server;
  readonly #options: UnixListenerOptions;
  readonly #limits: ConnectionLimits;

  /**
   * Starts listening; a stale socket at the path is replaced, a live one is not.
   * @throws ConfigError when the path cannot be used
   */
  static async listen(path: string, options: UnixListenerOptions): Promise<UnixListener> {
    await checkSocketDirectory(path);
    await removeStaleSocket(path);
    const listener = new UnixListener(path, options);
    await listener.#bind();
    return listener;
  }

  private constructor(path: string, options: UnixListenerOptions) {
    this.path = path;
    this.#options = options;
    this.#limits = new ConnectionLimits(options.maxConnections ?? 10_000, options.maxConnectionsPerUid ?? 2_000);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Open connections. */
  get connections(): number {
    return this.#limits.count;
  }

  /** Accepts no more and removes the socket; connections go on until the host ends them. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      // Not the callback of close(): that waits for the connections.
      this.#server.close();
      setImmediate(resolve);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #bind(): Promise<void> {
    const mode = modes[this.#options.mode];
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        // The socket is made before listen() returns. A umask can only be set for the whole process, so the mode
        // never is wider than wanted, not even for a moment; chmod then undoes what the umask took away.
        const umask = isMainThread ? process.umask(0o777 & ~mode) : undefined;
        try {
          this.#server.listen({ path: this.path, backlog: this.#options.backlog ?? 4096 }, resolve);
        } finally {
          if (umask !== undefined) process.umask(umask);
        }
      });
      await chmod(this.path, mode);
    } catch (error) {
      this.#server.close();
      throw new ConfigError(`cannot listen on ${this.path}: ${reasonOf(error)}`, { cause: error });
    }
    // An accept that fails, for want of descriptors for example, must not end the process.
    this.#server.removeAllListeners('error');
    this.#server.on('error', (error) => this.#options.logger.warn('Accepting failed', { socket: this.path, error }));
  }

  #accept(socket: Socket): void {
    const { host, logger } = this.#options;
    socket.on('error', () => {});
    let credentials: ReturnType<typeof peerCredentials>;
    try {
      credentials = peerCredentials(socket);
    } catch (error) {
      logger.warn('Refused a connection whose peer is not known', { socket: this.path, error });
      socket.destroy();
      return;
    }
    const leave = this.#limits.admit(credentials.uid);
    if (leave === undefined) {
      logger.warn('Refused a connection: too many', { socket: this.path, caller_uid: credentials.uid });
      credentials.close();
      socket.destroy();
      return;
    }
    socket.once('close', () => {
      leave();
      credentials.close();
    });
    const stream = this.#options.repairAuthority ? repairAuthority(socket) : socket;
    host.inject(stream, { kind: 'unix', credentials });
  }
}
