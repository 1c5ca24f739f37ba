import type { Server } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { ConfigError } from '../config-error.ts';

export interface HttpPortOptions {
  readonly host: string;
  readonly port: number;
  /** What listens, if that is not the server itself but something that hands connections on to it. */
  readonly listener?: NetServer | undefined;
  /** The settings to name when the port cannot be had. */
  readonly settings: { readonly host: string; readonly port: string };
}

/** Limits for small endpoints that strangers may reach: milliseconds and counts. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 20_000;
const KEEP_ALIVE = 5000;
const MAX_CONNECTIONS = 1000;

/** A listening HTTP or HTTPS server; `close` ends its connections too. */
export interface HttpPort extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Lets a server listen, bounded against slow and idle clients. @throws {ConfigError} when the port cannot be had */
export const listenHttp = async (server: Server, options: HttpPortOptions): Promise<HttpPort> => {
  server.headersTimeout = HEADERS_TIMEOUT;
  server.requestTimeout = REQUEST_TIMEOUT;
  server.keepAliveTimeout = KEEP_ALIVE;
  server.maxConnections = MAX_CONNECTIONS;
  const listener = options.listener ?? server;
  await listening(listener, options);
  // Whatever happens to one connection must not end the process.
  listener.on('error', () => {});
  const { address, port } = listener.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((done) => listener.close(() => done()));
    if (listener !== server) server.close();
    server.closeAllConnections();
    await closed;
  };
  return { address, port, close, [Symbol.asyncDispose]: close };
};

const listening = (server: NetServer, { host, port, settings }: HttpPortOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(cannotListen(error, { host, port, settings }));
    server.once('error', failed);
    server.listen({ host: host.replaceAll(/^\[|\]$/g, ''), port }, () => {
      server.off('error', failed);
      resolve();
    });
  });

const cannotListen = (error: NodeJS.ErrnoException, { host, port, settings }: HttpPortOptions): ConfigError => {
  const problem = (path: string, message: string): ConfigError =>
    new ConfigError([{ path, message }], { cause: error });
  switch (error.code) {
    case 'EADDRINUSE':
      return problem(settings.port, `port ${port} on ${host} is in use; stop what uses it or choose another port`);
    case 'EACCES':
      return problem(settings.port, `no permission to listen on port ${port}; choose one above 1023`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return problem(settings.host, `${host} is not an address of this machine`);
    case undefined:
    default:
      return problem(settings.port, `cannot listen on ${host}:${port}: ${error.code ?? error.message}`);
  }
};
