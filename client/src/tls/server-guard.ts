import type { Socket } from 'node:net';
import type { Server, TLSSocket, TlsOptions } from 'node:tls';
import type { X509Svid, X509SvidSource } from '@steeple/spiffe';
import { ClientError } from '../errors.ts';
import { followTrust } from './follow-trust.ts';
import { contextOptions } from './svid-context.ts';
import { type PeerPolicy, type VerifiedPeer, verifyPeer, verifyPeerIfPresent } from './verify-peer.ts';

/** How a server presents itself, and how its clients are judged. */
export interface SpiffeServerOptions extends PeerPolicy {
  /** Asked at each connection, so rotation needs no restart. */
  readonly svid: X509SvidSource;
  /**
   * `required` (default): a client must present an SVID. `optional`: a client may come without, {@link peerOf} is then
   * undefined. `none`: no certificate is asked for.
   */
  readonly clientCertificate?: 'required' | 'optional' | 'none' | undefined;
  /** Refuse clients that offer no post-quantum key exchange. */
  readonly requirePostQuantum?: boolean | undefined;
  /**
   * Told of each refused connection just before it is cut; the client itself only sees that. Open connections are judged
   * again, and may be refused, when the bundles change (`onChange`).
   */
  readonly onRefused?: ((error: Error, socket: Socket) => void) | undefined;
}

/**
 * Options for `tls.createServer`, `https.createServer` and `http2.createSecureServer`. They only ask for the client's
 * certificate: the server is safe once {@link guardServer} watches it, with the same options. `createHttpsServer` and
 * `createTlsServer` do both.
 */
export function serverOptions(options: SpiffeServerOptions): TlsOptions {
  return {
    ...contextOptions(options.svid.x509Svid(), options.requirePostQuantum),
    requestCert: options.clientCertificate !== 'none',
    // Node's verdict knows one merged list of roots; ours is given in guardServer.
    rejectUnauthorized: false,
  };
}

/**
 * Makes a TLS server a SPIFFE server: every connection is given the SVID of the moment, and its client is authenticated
 * and authorised before any listener, hence before the HTTP parser, learns of the connection. Refused clients are cut
 * off. Call it before the server accepts connections.
 */
export function guardServer<S extends Server>(server: S, options: SpiffeServerOptions): S {
  let presented: X509Svid | undefined;
  const gates: Record<string, (socket: Socket) => void> = {
    // Before the handshake: the TLS server reads its context when it is told of the connection.
    connection: () => {
      const current = options.svid.x509Svid();
      if (current !== presented) server.setSecureContext(contextOptions(current, options.requirePostQuantum));
      presented = current;
    },
    secureConnection: (socket) => admit(socket as TLSSocket, options),
  };
  // A prepended listener could destroy the socket but not keep it from the listeners after it; this can.
  const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
  const guarded = (event: string | symbol, ...args: unknown[]): boolean => {
    const gate = typeof event === 'string' ? gates[event] : undefined;
    return gate === undefined || passes(gate, args[0] as Socket, options) ? emit(event, ...args) : false;
  };
  server.emit = guarded as S['emit'];
  return server;
}

function passes(gate: (socket: Socket) => void, socket: Socket, options: SpiffeServerOptions): boolean {
  try {
    gate(socket);
    return true;
  } catch (error) {
    refuse(socket, error instanceof Error ? error : new Error(String(error)), options);
    return false;
  }
}

function refuse(socket: Socket, error: Error, options: SpiffeServerOptions): void {
  socket.on('error', () => {});
  try {
    options.onRefused?.(error, socket);
  } finally {
    socket.destroy();
  }
}

/** The verified client behind a connection that a guarded server accepted; undefined if it presented no certificate. */
export function peerOf(socket: Socket): VerifiedPeer | undefined {
  return (socket as Partial<Record<typeof PEER, VerifiedPeer>>)[PEER];
}

/** Like {@link peerOf}, for handlers that need an identity. @throws ClientError `no-peer-certificate` */
export function requirePeer(socket: Socket): VerifiedPeer {
  const peer = peerOf(socket);
  if (peer === undefined) throw new ClientError('no-peer-certificate', 'client presented no certificate');
  return peer;
}

// A property and no WeakMap: node:http2 shows handlers a proxy of the socket, which is another key.
const PEER = Symbol('verified peer');

function admit(socket: TLSSocket, options: SpiffeServerOptions): void {
  const wanted = options.clientCertificate ?? 'required';
  if (wanted === 'none') return;
  const peer = wanted === 'required' ? verifyPeer(socket, options) : verifyPeerIfPresent(socket, options);
  if (peer === undefined) return;
  Object.defineProperty(socket, PEER, { value: peer });
  // Our own SVID is none of the client's concern: it judged the one it was shown, and comes again when that is due.
  const { svid: _svid, ...policy } = options;
  const cut = (error: Error) => refuse(socket, error, options);
  followTrust(socket, { peer, svid: undefined }, policy, { cut, retire: () => {} });
}
