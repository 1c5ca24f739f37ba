import type { Duplex } from 'node:stream';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { X509SvidSource } from '@steeple/spiffe';
import { ClientError } from '../errors.ts';
import { type ConnectionControl, followTrust } from './follow-trust.ts';
import { secureContext } from './svid-context.ts';
import { type PeerPolicy, type VerifiedPeer, verifyPeer } from './verify-peer.ts';

/** How we present ourselves, and how the server is judged. */
export interface SpiffeClientOptions extends PeerPolicy {
  /** Asked at each connection, so rotation needs nothing; absent: we present no certificate. */
  readonly svid?: X509SvidSource | undefined;
  /** Refuse servers that agree on no post-quantum key exchange. */
  readonly requirePostQuantum?: boolean | undefined;
}

/** Where to connect, in the terms of `node:tls`; trust and identity are not to be chosen here. */
export type ConnectTarget = Omit<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'checkServerIdentity'
  | 'key'
  | 'pfx'
  | 'pskCallback'
  | 'rejectUnauthorized'
  | 'secureContext'
  | 'session'
> & { readonly signal?: AbortSignal | undefined; readonly socket?: Duplex | undefined };

/**
 * Opens a TLS connection and resolves once the server is authenticated and authorised; no application byte was sent or
 * read before. Rejects with {@link ClientError} or the socket's error, and the socket is then destroyed. If the bundles
 * change (`onChange`) and the server is no longer trusted, the socket is destroyed with the `untrusted-peer` error.
 */
export function connectTls(
  target: ConnectTarget,
  options: SpiffeClientOptions,
): Promise<{ socket: TLSSocket; peer: VerifiedPeer }> {
  return openTls(target, options);
}

/** Like {@link connectTls}; the control says how the open connection is cut or retired (see follow-trust.ts). */
export async function openTls(
  target: ConnectTarget,
  options: SpiffeClientOptions,
  control: Partial<ConnectionControl> = {},
): Promise<{ socket: TLSSocket; peer: VerifiedPeer }> {
  const { signal, ...rest } = target;
  signal?.throwIfAborted();
  const svid = options.svid?.x509Svid();
  const socket = tlsConnect({
    ...rest,
    secureContext: secureContext(svid, options.requirePostQuantum),
    // Ours is the only verdict: see verify-peer.ts.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  } as ConnectionOptions);
  try {
    await handshake(socket, signal);
    const peer = verifyPeer(socket, options);
    const cut = (error: Error) => void socket.destroy(error);
    followTrust(socket, { peer, svid }, options, { cut, retire: () => {}, ...control });
    return { socket, peer };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function handshake(socket: TLSSocket, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => finish(new ClientError('closed', 'connection closed during the TLS handshake'));
    const onAbort = () => finish(abortReason(signal));
    const finish = (error?: Error) => {
      socket.off('close', onClose).off('secureConnect', finish);
      signal?.removeEventListener('abort', onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    // Stays for good: an error between here and the next owner's listener must not end the process.
    socket.on('error', finish);
    socket.once('close', onClose);
    socket.once('secureConnect', finish);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function abortReason(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new ClientError('closed', 'aborted');
}
