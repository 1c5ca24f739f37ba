import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { type Authorizer, createTlsServer, peerOf } from '@steeple/client/tls';
import { type Clock, ConfigError, type Logger } from '@steeple/daemon';
import type { GrpcHost, Peer } from '@steeple/daemon/listen';
import type { BundleSource, X509SvidSource } from '@steeple/spiffe';
import { certificateLife } from './certificate-life.ts';
import { HandshakeQueue } from './handshake-queue.ts';
import { ProxyFront } from './proxy-front.ts';
import { STRANGER_LIFE, Strangers } from './strangers.ts';

/** Milliseconds a handshake may take. */
const HANDSHAKE_TIMEOUT = 10_000;

/** Open connections; an agent needs two. */
const MAX_CONNECTIONS = 20_000;

/** How many of them may be by clients without a certificate. */
const MAX_STRANGERS = 4000;

export interface TlsListenerParts {
  readonly host: GrpcHost;
  readonly address: string;
  readonly port: number;
  /** Ranges of addresses whose word about the source of a connection is taken (PROXY protocol); undefined: nobody's. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Refuse clients without a post-quantum key exchange. */
  readonly requirePqKem?: boolean;
  /** Asked at each connection, so a new identity needs no restart. */
  readonly svid: X509SvidSource;
  readonly bundles: BundleSource;
  /** Who may come with a certificate. */
  readonly authorize: Authorizer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The TCP port: TLS 1.2 or later, HTTP/2 only.
 *
 * 1. A certificate is asked for and not needed; one that is presented must verify against the bundle of its own trust
 *    domain and be somebody's that is awaited, else the connection ends before HTTP/2 sees a byte of it.
 * 2. No session is ever resumed, so what was verified is what is there.
 * 3. However many come at once, handshakes begin at a pace that leaves time for everything else.
 */
export class TlsListener {
  readonly #server: NetServer;

  private constructor(server: NetServer) {
    this.#server = server;
  }

  /** @throws {ConfigError} when the port cannot be had */
  static async listen(parts: TlsListenerParts): Promise<TlsListener> {
    const { host, logger } = parts;
    const strangers = new Strangers(MAX_STRANGERS);
    const server = createTlsServer(
      {
        svid: parts.svid,
        bundles: parts.bundles,
        authorize: parts.authorize,
        now: () => parts.clock.now(),
        clientCertificate: 'optional',
        requirePostQuantum: parts.requirePqKem,
        onRefused: (error, socket) =>
          logger.warn('Connection refused', { remote_address: plainAddress(socket.remoteAddress), error }),
        tls: {
          ALPNProtocols: ['h2'],
          handshakeTimeout: HANDSHAKE_TIMEOUT,
        },
      },
      (socket) => {
        handshakes.finished(socket);
        const source = front?.sourceOf(socket);
        const address = plainAddress(source?.address ?? socket.remoteAddress);
        // Clients that offer nothing get this far; gRPC needs HTTP/2 agreed upon.
        if (socket.alpnProtocol !== 'h2' || address === undefined) {
          socket.destroy();
          return;
        }
        const isStranger = peerOf(socket) === undefined;
        if (isStranger && !strangers.admit(socket)) {
          socket.destroy();
          return;
        }
        const peer: Peer = { kind: 'tcp', address, tls: socket, ...portOf(source?.port ?? socket.remotePort) };
        host.inject(socket, peer, isStranger ? STRANGER_LIFE : certificateLife(socket, parts.clock.now()));
      },
    );
    server.on('tlsClientError', (error, socket) => {
      logger.debug('TLS handshake failed', { remote_address: plainAddress(socket.remoteAddress), error });
    });
    const handshakes = new HandshakeQueue((socket) => server.emit('connection', socket), parts.clock);
    const queue = (socket: Socket, address: string | undefined): void => handshakes.add(socket, address ?? '');
    const front = parts.trustedProxies && new ProxyFront(parts.trustedProxies, queue, logger);
    const listener = createServer({ pauseOnConnect: true }, (socket) =>
      front ? front.accept(socket) : queue(socket, socket.remoteAddress),
    );
    listener.maxConnections = MAX_CONNECTIONS;
    await listening(listener, parts.address, parts.port);
    // An accept that fails, for want of descriptors for example, must not end the process.
    listener.on('error', (error) => logger.warn('Accepting a connection failed', { error }));
    return new TlsListener(listener);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return (this.#server.address() as AddressInfo).address;
  }

  /** Accepts no more; open connections are the host's to end. */
  close(): void {
    this.#server.close();
  }
}

const listening = (server: NetServer, address: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(cannotListen(error, address, port));
    server.once('error', failed);
    server.listen({ host: address, port, backlog: 4096 }, () => {
      server.off('error', failed);
      resolve();
    });
  });

const cannotListen = (error: NodeJS.ErrnoException, address: string, port: number): ConfigError => {
  switch (error.code) {
    case 'EADDRINUSE':
      return problem(
        'server.bind_port',
        `port ${port} on ${address} is in use by another process; stop it or choose another port`,
        error,
      );
    case 'EACCES':
      return problem('server.bind_port', `no permission to listen on port ${port}; choose one above 1023`, error);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return problem('server.bind_address', `${address} is not an address of this machine`, error);
    case undefined:
    default:
      return problem('server.bind_port', `cannot listen on ${address}:${port}: ${error.code ?? error.message}`, error);
  }
};

const problem = (path: string, message: string, cause: unknown): ConfigError =>
  new ConfigError([{ path, message }], { cause });

/** Without the IPv6 wrapping of an IPv4 address, so that one client is one client on either socket kind. */
const plainAddress = (address: string | undefined): string | undefined => address?.replace(/^::ffff:(?=\d+\.)/, '');

const portOf = (port: number | undefined): { port?: number } => (port === undefined ? {} : { port });
