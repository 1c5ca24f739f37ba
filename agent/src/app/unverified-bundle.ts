import { type ClientHttp2Session, connect } from 'node:http2';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { fromBinary } from '@bufbuild/protobuf';
import { postQuantumOnly } from '@steeple/client/tls';
import { Code, GrpcError, orAborted } from '@steeple/proto/grpc';
import { types } from '@steeple/proto/server-api';
import { type Certificate, parseCertificate, type TrustBundle, type TrustDomain } from '@steeple/spiffe';
import { readBundle } from './server-wire.ts';

export interface UnverifiedBundle {
  /** What the server says its bundle is. */
  readonly bundle: TrustBundle;
  /** The chain that it presented, leaf first. */
  readonly presented: readonly Certificate[];
}

const PATH = '/spire.api.server.bundle.v1.Bundle/GetBundle';
const MAX_BYTES = 4 * 1024 * 1024;
/** An empty request: not compressed, of length 0. */
const EMPTY_MESSAGE = new Uint8Array(5);

/**
 * Asks whoever answers at that address for its bundle, believing nothing. One call over plain HTTP/2, so that no channel
 * that skips verification exists anywhere else in the agent.
 */
export function fetchUnverifiedBundle(
  { trustDomain, ...address }: Address & { readonly trustDomain: TrustDomain },
  signal: AbortSignal,
): Promise<UnverifiedBundle> {
  return withStranger(address, signal, async (session, presented) => {
    const message = await orAborted(call(session), signal);
    return { bundle: readBundle(fromBinary(types.BundleSchema, message), trustDomain), presented };
  });
}

/** The chain that whoever answers at that address presents, leaf first; nothing is believed of it. */
export function fetchPresentedChain(address: Address, signal: AbortSignal): Promise<readonly Certificate[]> {
  return withStranger(address, signal, async (_session, presented) => presented);
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly requirePostQuantum?: boolean;
}

async function withStranger<T>(
  { host, port, requirePostQuantum }: Address,
  signal: AbortSignal,
  work: (session: ClientHttp2Session, presented: readonly Certificate[]) => Promise<T>,
): Promise<T> {
  const name = host.includes(':') ? `[${host}]` : host;
  const session = connect(`https://${name}:${port}`, {
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...(requirePostQuantum === true && postQuantumOnly),
  });
  session.on('error', () => {});
  try {
    await orAborted(connected(session), signal);
    return await work(session, chainOf(session.socket as TLSSocket));
  } catch (cause) {
    if (signal.aborted || cause instanceof GrpcError) throw cause;
    throw new GrpcError(Code.UNAVAILABLE, `the server at ${name}:${port} could not be asked for its bundle`, { cause });
  } finally {
    session.destroy();
  }
}

function connected(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once('connect', () => resolve());
    session.once('error', reject);
    session.once('close', () => reject(new Error('connection closed')));
  });
}

function chainOf(socket: TLSSocket): readonly Certificate[] {
  const chain: Certificate[] = [];
  let peer: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // A self-signed certificate names itself as its issuer.
  for (const seen = new Set<string>(); peer?.raw !== undefined && !seen.has(peer.fingerprint256); ) {
    seen.add(peer.fingerprint256);
    chain.push(parseCertificate(peer.raw));
    peer = peer.issuerCertificate;
  }
  return chain;
}

/** The bytes of the one response message. */
async function call(session: ClientHttp2Session): Promise<Uint8Array> {
  const stream = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.end(EMPTY_MESSAGE);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > MAX_BYTES) throw new Error('the answer is too long');
  }
  const body = Buffer.concat(parts);
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) {
    throw new Error('the answer is no gRPC message');
  }
  return body.subarray(5);
}
