import type { AddressInfo } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { createTlsServer } from './create-server.ts';
import type { SpiffeServerOptions } from './server-guard.ts';
import type { VerifiedPeer } from './verify-peer.ts';

/** A bound SPIFFE port of a grpc-js server. */
export interface SpiffeGrpcPort extends AsyncDisposable {
  readonly port: number;
  /** The verified client of a call, by `call.getPeer()`; undefined when it presented no certificate. */
  peer(call: { getPeer(): string }): VerifiedPeer | undefined;
  /**
   * Asks all open connections to end, and cuts them after `grace` seconds; clients reconnect and are judged anew. For use
   * after a change of what `authorize` allows, or of bundles whose source does not report it (`onChange`).
   */
  drain(grace: number): void;
  /** Stops accepting connections and asks the open ones to end; resolves when they have. */
  close(): Promise<void>;
}

/**
 * Serves a `@grpc/grpc-js` server over SPIFFE TLS, in place of `server.bindAsync`: clients are authenticated and
 * authorised before HTTP/2 gets the connection, and each new connection is given the SVID of the moment.
 */
export async function serveGrpc(
  server: Server,
  options: SpiffeServerOptions & { readonly host?: string | undefined; readonly port: number },
): Promise<SpiffeGrpcPort> {
  // grpc-js cannot be given a verifying handshake, but it takes finished connections.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const peers = new Map<string, VerifiedPeer>();
  const listener = createTlsServer({ ...options, tls: { ALPNProtocols: ['h2'] } }, (socket, peer) => {
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return;
    }
    const key = `${socket.remoteAddress}:${socket.remotePort}`;
    if (peer !== undefined) peers.set(key, peer);
    socket.on('error', () => {}).once('close', () => peers.delete(key));
    injector.injectConnection(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen({ host: options.host, port: options.port }, resolve);
  });
  const close = async () => {
    const ended = new Promise<void>((resolve) => listener.close(() => resolve()));
    injector.destroy();
    await ended;
  };
  return {
    port: (listener.address() as AddressInfo).port,
    peer: (call) => peers.get(call.getPeer()),
    drain: (grace) => injector.drain(grace * 1000),
    close,
    [Symbol.asyncDispose]: close,
  };
}
