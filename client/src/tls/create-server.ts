import type { RequestListener } from 'node:http';
import { createServer, type Server as HttpsServer, type ServerOptions } from 'node:https';
import { createServer as createTls, type TLSSocket, type TlsOptions, type Server as TlsServer } from 'node:tls';
import { guardServer, peerOf, type SpiffeServerOptions, serverOptions } from './server-guard.ts';
import type { VerifiedPeer } from './verify-peer.ts';

/** A `node:tls` server whose handler only ever sees verified clients. */
export function createTlsServer(
  options: SpiffeServerOptions & { readonly tls?: TlsOptions | undefined },
  handle: (socket: TLSSocket, peer: VerifiedPeer | undefined) => void,
): TlsServer {
  const server = createTls({ ...options.tls, ...serverOptions(options) });
  server.on('secureConnection', (socket) => handle(socket, peerOf(socket)));
  return guardServer(server, options);
}

/**
 * A `node:https` server whose handler only ever sees verified clients; `peerOf(request.socket)` tells who asks. Open
 * keep-alive connections survive a rotation, new ones get the new SVID.
 */
export function createHttpsServer(
  options: SpiffeServerOptions & { readonly https?: ServerOptions | undefined },
  handle: RequestListener,
): HttpsServer {
  return guardServer(createServer({ ...options.https, ...serverOptions(options) }, handle), options);
}
