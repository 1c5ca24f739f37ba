// How a real agent tells workloads of changes. It asks its server once an hour, so that nothing here comes from asking.
import { writeFile } from 'node:fs/promises';
import type { X509SVIDResponse } from '@steeple/proto/workload';
import { formatBundleDocument } from '@steeple/spiffe';
import { expect, it } from 'vitest';
import { createEntry, messageThat, reader, STREAM, stackWorld } from './stack-world.ts';
import { ROOTS, rootsOf } from './x509-world.ts';

const world = stackWorld({ agent: { experimental: { sync_interval: '1h' } } });
const follow = () => reader(world.workload.fetchX509SVID({}, STREAM));
const svidOf = ({ svids }: X509SVIDResponse, path: string) =>
  Buffer.from(svids.find(({ spiffeId }) => spiffeId === `spiffe://a.test${path}`)?.x509Svid ?? []).toString('base64');

it('[WAPI-10] [WAPI-11] answers each stream with a first message of its own, not bound to the synchronisation', async () => {
  const stream = follow();
  await createEntry(world, { path: '/slow' });
  await messageThat(stream, ({ svids }) => svids.length === 1);
  const others = Array.from({ length: 20 }, follow);
  for (const { value } of await Promise.all(others.map((other) => other.next()))) {
    expect((value as X509SVIDResponse).svids).toHaveLength(1);
  }
  for (const one of [stream, ...others]) await one.return?.();
});

it('[WAPI-08] [WAPI-09] sends the full state at each rotation, once', async () => {
  const file = `${world.stack.dir}/b.json`;
  await writeFile(file, formatBundleDocument(rootsOf('b.test', ROOTS.b)));
  await world.stack.cli(['bundle', 'set', 'b.test', '--format', 'spiffe', '--path', file]);
  await createEntry(world, { path: '/fast', x509SvidTtl: 8, federatesWith: ['b.test'] });
  const stream = follow();
  const messages = [await messageThat(stream, ({ svids }) => svids.length === 2)];
  for (let count = 0; count < 2; count++) messages.push(await messageThat(stream, () => true));
  for (const { svids, federatedBundles } of messages) {
    expect(svids.map(({ spiffeId }) => spiffeId).sort()).toEqual(['spiffe://a.test/fast', 'spiffe://a.test/slow']);
    expect(svids.every(({ bundle }) => bundle.length > 0)).toBe(true);
    expect(Object.keys(federatedBundles)).toEqual(['spiffe://b.test']);
  }
  expect(new Set(messages.map((message) => svidOf(message, '/slow'))).size).toBe(1);
  // One message for one rotation: no two have the same certificate.
  expect(new Set(messages.map((message) => svidOf(message, '/fast'))).size).toBe(messages.length);
  await stream.return?.();
});
