// A client of ours at a Workload API that says what a test tells it to.
import { type WatchEvent, WorkloadApiClient } from '@steeple/client';
import { FakeWorkloadApi, TestTrustDomain } from '@steeple/client/testing';
import { afterEach, beforeAll, beforeEach } from 'vitest';

export interface ClientWorld {
  a: TestTrustDomain;
  b: TestTrustDomain;
  api: FakeWorkloadApi;
  client: WorkloadApiClient;
}

/** Made anew for each test of a file; the trust domains once. */
export function clientWorld(): ClientWorld {
  const world = {} as ClientWorld;
  beforeAll(async () => {
    [world.a, world.b] = await Promise.all([TestTrustDomain.create('a.test'), TestTrustDomain.create('b.test')]);
  });
  beforeEach(async () => {
    world.api = await FakeWorkloadApi.start();
    world.client = new WorkloadApiClient({ address: world.api.address });
  });
  afterEach(async () => {
    await world.client.close();
    await world.api.close();
  });
  return world;
}

/** Reads events until one fits. */
export async function nextEvent<T>(
  events: AsyncIterator<WatchEvent<T>>,
  kind: WatchEvent<T>['kind'],
): Promise<WatchEvent<T>> {
  for (;;) {
    const { value, done } = await events.next();
    if (done === true) throw new Error(`the watch ended without an event "${kind}"`);
    if (value.kind === kind) return value;
  }
}

/** Resolves once the condition holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What a call ends with, which must be a failure. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const result = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (result === undefined) throw new Error('it did not fail');
  return result;
}
