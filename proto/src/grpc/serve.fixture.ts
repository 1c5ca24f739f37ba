// Test equipment: real servers on real Unix sockets, and small waits.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescService } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  createClient,
  GrpcError,
  type Handlers,
  type Middleware,
  type ServeOptions,
  type ServiceClient,
  serviceImplementation,
} from './index.ts';

const closing: (() => void)[] = [];
/** Closes what the other functions opened. */
export function closeAll(): void {
  for (const close of closing.splice(0).toReversed()) close();
}

/** A real server on a real Unix socket, and its address. */
export async function listen(implementations: ReturnType<typeof serviceImplementation>[]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-proto-'));
  const server = new grpc.Server({ 'grpc.enable_channelz': 0 });
  for (const { definition, implementation } of implementations) server.addService(definition, implementation);
  const address = `unix:${join(dir, 's')}`;
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
  closing.push(() => {
    server.forceShutdown();
    rmSync(dir, { recursive: true, force: true });
  });
  return address;
}

/** A client of a server that has these handlers. */
export async function connected<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  middleware: Middleware[] = [],
  options: ServeOptions = {},
): Promise<ServiceClient<S>> {
  const address = await listen([serviceImplementation(service, handlers, middleware, options)]);
  const client = createClient(service, { address, credentials: grpc.credentials.createInsecure() });
  closing.push(() => client.close());
  return client;
}

/** The GrpcError the promise must reject with. */
export async function failureOf(promise: Promise<unknown>): Promise<GrpcError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof GrpcError)) throw new Error('not a GrpcError', { cause: error });
  return error;
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** The first value; the iteration is then ended. */
export async function first<T>(values: AsyncIterable<T>): Promise<T | undefined> {
  for await (const value of values) return value;
  return undefined;
}

/** Requests that never end by themselves. */
export async function* endless(): AsyncGenerator<Record<string, never>> {
  yield {};
  await new Promise(() => {});
}
