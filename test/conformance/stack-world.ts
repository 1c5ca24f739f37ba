// A whole Steeple for one test file, and raw gRPC clients of it: nothing of our client library is in between.
import { credentials } from '@grpc/grpc-js';
import { type CallOptions, createClient, GrpcError, type ServiceClient } from '@steeple/proto/grpc';
import { bundleV1, entryV1, localauthorityV1, svidV1 } from '@steeple/proto/server-api';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { afterAll, beforeAll } from 'vitest';
import { Stack, type StackOptions } from '../stack/stack.ts';

export interface StackWorld {
  stack: Stack;
  workload: ServiceClient<typeof SpiffeWorkloadAPI>;
  entries: ServiceClient<typeof entryV1.Entry>;
  svids: ServiceClient<typeof svidV1.SVID>;
  bundles: ServiceClient<typeof bundleV1.Bundle>;
  authorities: ServiceClient<typeof localauthorityV1.LocalAuthority>;
}

export const WIT = { experimental: { feature_flags: ['wit-svid'] } };
/** A selector that the test process itself has. */
export const OWN = `unix:uid:${process.getuid?.()}`;
/** For streams that stay open. */
export const STREAM: CallOptions = { metadata: { 'workload.spiffe.io': 'true' } };
export const HEADER: CallOptions = { metadata: { 'workload.spiffe.io': 'true' }, deadline: 20 };

/** Trust domain a.test, started before the file's first test. */
export function stackWorld(options: StackOptions = {}): StackWorld {
  const world = {} as StackWorld;
  beforeAll(async () => {
    const stack = await Stack.start({ trustDomain: 'a.test', ...options });
    const settings = (socket: string) => ({ address: `unix:${socket}`, credentials: credentials.createInsecure() });
    const admin = settings(stack.adminSocket);
    Object.assign(world, {
      stack,
      workload: createClient(SpiffeWorkloadAPI, settings(stack.workloadSocket)),
      entries: createClient(entryV1.Entry, admin),
      svids: createClient(svidV1.SVID, admin),
      bundles: createClient(bundleV1.Bundle, admin),
      authorities: createClient(localauthorityV1.LocalAuthority, admin),
    });
  }, 60_000);
  afterAll(async () => {
    for (const client of [world.workload, world.entries, world.svids, world.bundles, world.authorities])
      client?.close();
    await world.stack?.stop();
  });
  return world;
}

/** The first message of a stream, which is then left. */
export async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const message of stream) return message;
  throw new Error('the stream ended without a message');
}

/** For reading message by message; the call starts with the first. */
export const reader = <T>(stream: AsyncIterable<T>): AsyncIterator<T> => stream[Symbol.asyncIterator]();

/** The status a call ends with; 0 if it succeeds. A stream is read to its first message. */
export async function statusOf(call: Promise<unknown> | AsyncIterable<unknown>): Promise<number> {
  try {
    await (Symbol.asyncIterator in call ? first(call) : call);
    return 0;
  } catch (error) {
    if (error instanceof GrpcError) return error.code;
    throw error;
  }
}

export interface EntryFields {
  readonly path: string;
  readonly trustDomain?: string;
  readonly selectors?: readonly string[];
  readonly hint?: string;
  readonly dnsNames?: string[];
  readonly federatesWith?: string[];
  readonly x509SvidTtl?: number;
  readonly jwtSvidTtl?: number;
}

/** Creates an entry below the agent and returns its status and id. */
export async function createEntry(world: StackWorld, fields: EntryFields): Promise<{ code: number; id: string }> {
  const { path, trustDomain = 'a.test', selectors = [OWN], ...rest } = fields;
  const agent = new URL(world.stack.agentId);
  const { results } = await world.entries.batchCreateEntry({
    entries: [
      {
        spiffeId: { trustDomain, path },
        parentId: { trustDomain: agent.host, path: agent.pathname },
        selectors: selectors.map((text) => {
          const [type = '', ...value] = text.split(':');
          return { type, value: value.join(':') };
        }),
        ...rest,
      },
    ],
  });
  const [result] = results;
  return { code: result?.status?.code ?? -1, id: result?.entry?.id ?? '' };
}

export async function deleteEntries(world: StackWorld, ...ids: readonly string[]): Promise<void> {
  await world.entries.batchDeleteEntry({ ids: [...ids] });
}

/** Reads messages until one fits; the test's timeout is the limit. */
export async function messageThat<T>(stream: AsyncIterator<T>, fits: (message: T) => boolean): Promise<T> {
  for (;;) {
    const { value, done } = await stream.next();
    if (done === true) throw new Error('the stream ended before the message that was waited for');
    if (fits(value)) return value;
  }
}
