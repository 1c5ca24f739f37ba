import { createHash } from 'node:crypto';
import { connect, getCACertificates, type TLSSocket } from 'node:tls';
import { authorizeId, connectTls } from '@steeple/client/tls';
import { type EndpointProfile, IssuerError } from '@steeple/core';
import type { BundleSource } from '@steeple/spiffe';
import type { EndpointAddress } from './bundle-endpoint-address.ts';

/** What bundle endpoints are recognised by. */
export interface EndpointTrust {
  /** For `https_spiffe`: what is known of the endpoint's trust domain at this moment. */
  readonly bundles: BundleSource;
  /** For `https_web`: PEM certificates of the authorities that the Web trusts; nothing else counts. */
  readonly webRoots: () => readonly string[];
  /** Unix seconds. */
  readonly now: () => number;
}

/** An authenticated connection. */
export interface EndpointConnection {
  readonly socket: TLSSocket;
  /** The server as the log shall name it: its SPIFFE ID, or the fingerprint of its certificate. */
  readonly peer: string;
}

/** The authorities that this machine trusts for the Web: its own store, which `SSL_CERT_FILE` may replace. */
export const systemWebRoots = (): readonly string[] => getCACertificates('system');

/**
 * Connects to a bundle endpoint and authenticates it as its profile says, and in no other way: a failure of one profile
 * is never mended by the other (SPIFFE Federation 7.2). We present no certificate.
 */
export const connectEndpoint = (
  address: EndpointAddress,
  profile: EndpointProfile,
  trust: EndpointTrust,
  signal: AbortSignal,
): Promise<EndpointConnection> =>
  profile.kind === 'https_web'
    ? connectWeb(address, trust.webRoots(), signal)
    : connectSpiffe(address, profile, trust, signal);

const connectSpiffe = async (
  { host, port, serverName }: EndpointAddress,
  { endpointSpiffeId: id }: EndpointProfile & { readonly kind: 'https_spiffe' },
  { bundles, now }: EndpointTrust,
  signal: AbortSignal,
): Promise<EndpointConnection> => {
  if (bundles.bundleFor(id.trustDomain) === undefined) {
    throw new IssuerError('failed-precondition', "can't perform SPIFFE Authentication: local copy of bundle not found");
  }
  const { socket, peer } = await connectTls(
    { host, port, ALPNProtocols: ['http/1.1'], signal, ...(serverName && { servername: serverName }) },
    { bundles, authorize: authorizeId(id), now },
  );
  return { socket, peer: peer.id.toString() };
};

const connectWeb = (
  { host, port, serverName }: EndpointAddress,
  roots: readonly string[],
  signal: AbortSignal,
): Promise<EndpointConnection> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    if (roots.length === 0) {
      throw new IssuerError('failed-precondition', 'this machine trusts no certificate authorities; install some');
    }
    const socket = connect({
      host,
      port,
      ca: [...roots],
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(serverName && { servername: serverName }),
    });
    const abort = (): void => void socket.destroy(abortReason(signal));
    signal.addEventListener('abort', abort, { once: true });
    const settle = (): void => signal.removeEventListener('abort', abort);
    // Stays for good: an error after this must not end the process.
    socket.on('error', (error) => {
      settle();
      reject(withHint(error, socket));
    });
    socket.once('close', () => reject(new Error('the connection was closed during the TLS handshake')));
    socket.once('secureConnect', () => {
      settle();
      resolve({ socket, peer: fingerprintOf(socket) });
    });
  });

const fingerprintOf = (socket: TLSSocket): string => {
  const raw: Uint8Array | undefined = socket.getPeerCertificate().raw;
  return raw === undefined ? 'unknown' : `sha256:${createHash('sha256').update(raw).digest('hex')}`;
};

/** Who configured the wrong profile learns so. */
const withHint = (error: Error, socket: TLSSocket): Error => {
  const names = socket.destroyed ? undefined : socket.getPeerCertificate()?.subjectaltname;
  const presented = (error as { cert?: { subjectaltname?: string } }).cert?.subjectaltname ?? names;
  const [, id] = /URI:(spiffe:\/\/[^,\s]+)/.exec(presented ?? '') ?? [];
  if (id === undefined) return error;
  return new Error(`${error.message} (it presents the SPIFFE ID ${id}: is its profile https_spiffe?)`, {
    cause: error,
  });
};

const abortReason = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('aborted');
