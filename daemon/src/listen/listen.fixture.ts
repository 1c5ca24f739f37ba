// Test equipment: a host with two small services on a Unix socket, and raw connections to it.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { createClient, type GrpcError, type ServiceClient } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { silentLogger } from '../logger.ts';
import { GrpcHost, type GrpcHostOptions } from './grpc-host.ts';
import { UnixListener, type UnixListenerOptions } from './unix-listener.ts';

/** What the test services do: tell who called, and stream until they are stopped. */
export function makeHost(options: Partial<GrpcHostOptions> = {}): GrpcHost {
  const host = new GrpcHost({ logger: silentLogger, ...options });
  host.add(entryV1.Entry, {
    getEntry: async ({ id }, { peerKey }) => {
      if (id === 'fail') throw new Error('secret');
      const peer = host.peer(peerKey);
      const pid = peer?.kind === 'unix' ? peer.credentials.pid : 0;
      return { id: peerKey, revisionNumber: BigInt(pid), hint: peer?.kind ?? '' };
    },
  });
  host.add(SpiffeWorkloadAPI, {
    async *fetchX509Bundles(_request, { signal }) {
      yield {};
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  });
  return host;
}

export interface Rig extends AsyncDisposable {
  readonly host: GrpcHost;
  readonly listener: UnixListener;
  readonly path: string;
  entries(): ServiceClient<typeof entryV1.Entry>;
  workload(): ServiceClient<typeof SpiffeWorkloadAPI>;
}

export async function rig(
  options: Partial<UnixListenerOptions> = {},
  hostOptions: Partial<GrpcHostOptions> = {},
): Promise<Rig> {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-listen-'));
  const path = join(dir, 's');
  const host = options.host ?? makeHost(hostOptions);
  const listener = await UnixListener.listen(path, { mode: 'public', logger: silentLogger, ...options, host });
  const clients: { close(): void }[] = [];
  // Every client gets a connection of its own.
  const settings = {
    address: `unix:${path}`,
    credentials: grpc.credentials.createInsecure(),
    options: { 'grpc.use_local_subchannel_pool': 1 },
  };
  const kept = <C extends { close(): void }>(client: C): C => {
    clients.push(client);
    return client;
  };
  return {
    host,
    listener,
    path,
    entries: () => kept(createClient(entryV1.Entry, settings)),
    workload: () => kept(createClient(SpiffeWorkloadAPI, settings)),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await listener.close();
      host.forceShutdown();
      rmSync(dir, { recursive: true, force: true });
    },
  } satisfies Rig;
}

export async function failureOf(promise: Promise<unknown>): Promise<GrpcError> {
  const nothing = new Error('it succeeded');
  const error: unknown = await promise.then(
    () => nothing,
    (reason: unknown) => reason,
  );
  if (error === nothing) throw nothing;
  return error as GrpcError;
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

export async function dial(path: string): Promise<Socket> {
  const socket = connect(path);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends raw bytes and reports how the server ended that stream: a gRPC answer or a reset. */
export async function exchange(
  path: string,
  bytes: Uint8Array,
  stream: number,
): Promise<'answer' | 'reset' | 'closed'> {
  const socket = await dial(path);
  socket.write(bytes);
  let received = Buffer.alloc(0);
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
        const [type, flags] = [received.readUInt8(3), received.readUInt8(4)];
        const about = received.readUInt32BE(5);
        if (about === stream && type === 3) return 'reset';
        if (about === stream && type === 1 && (flags & 1) !== 0) return 'answer';
        if (type === 7) return 'closed';
        received = received.subarray(9 + received.readUIntBE(0, 3));
      }
    }
    return 'closed';
  } finally {
    socket.destroy();
  }
}
