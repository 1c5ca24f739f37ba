// The X.509 profile of a real agent.
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { Code } from '@steeple/proto/grpc';
import type { X509SVIDResponse } from '@steeple/proto/workload';
import { beforeAll, expect, it } from 'vitest';
import {
  createEntry,
  deleteEntries,
  first,
  HEADER,
  messageThat,
  OWN,
  reader,
  STREAM,
  stackWorld,
  statusOf,
} from './stack-world.ts';

const world = stackWorld();
const follow = () => reader(world.workload.fetchX509SVID({}, STREAM));
const pathsOf = ({ svids }: X509SVIDResponse) => svids.map(({ spiffeId }) => new URL(spiffeId).pathname).sort();

/** Certificates one after another in DER, cut by their own lengths. */
function splitDer(bytes: Uint8Array): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x30);
    const count = (bytes[at + 1] ?? 0) & 0x7f;
    const isLong = ((bytes[at + 1] ?? 0) & 0x80) !== 0;
    const length = isLong
      ? Number.parseInt(Buffer.from(bytes.slice(at + 2, at + 2 + count)).toString('hex'), 16)
      : count;
    const end = at + 2 + (isLong ? count : 0) + length;
    certificates.push(new X509Certificate(bytes.slice(at, end)));
    at = end;
  }
  return certificates;
}

beforeAll(async () => {
  for (const path of ['/one', '/two', '/three']) await createEntry(world, { path });
  await messageThat(follow(), ({ svids }) => svids.length === 3);
});

it('[WAPI-19] [WAPI-20] gives one whole message per identity', async () => {
  const { svids } = await first(world.workload.fetchX509SVID({}, HEADER));
  expect(svids).toHaveLength(3);
  for (const { spiffeId, x509Svid, x509SvidKey, bundle } of svids) {
    expect([spiffeId, x509Svid, x509SvidKey, bundle].map((field) => field.length > 0)).toEqual([
      true,
      true,
      true,
      true,
    ]);
  }
});

it('[WAPI-21] [WAPI-22] [WAPI-23] gives certificates and keys as DER, leaf first, key unencrypted PKCS#8', async () => {
  const { svids, federatedBundles } = await first(world.workload.fetchX509SVID({}, HEADER));
  expect(federatedBundles).toEqual({});
  for (const { spiffeId, x509Svid, x509SvidKey, bundle } of svids) {
    const [leaf, ...intermediates] = splitDer(x509Svid);
    const [root] = splitDer(bundle);
    expect(leaf?.subjectAltName).toContain(`URI:${spiffeId}`);
    const chain = [leaf, ...intermediates, root];
    chain.slice(1).forEach((issuer, index) => {
      expect(issuer !== undefined && chain[index]?.verify(issuer.publicKey)).toBe(true);
    });
    const key = createPrivateKey({ key: Buffer.from(x509SvidKey), format: 'der', type: 'pkcs8' });
    expect(leaf !== undefined && createPublicKey(key).equals(leaf.publicKey)).toBe(true);
    for (const field of [x509Svid, x509SvidKey, bundle])
      expect(Buffer.from(field).toString('latin1')).not.toContain('-----');
  }
});

it('[WAPI-09] sends nothing without a change', async () => {
  const stream = follow();
  await stream.next();
  const next = stream.next();
  const idle = Symbol('idle');
  const quiet = new Promise((resolve) => setTimeout(() => resolve(idle), 12_000));
  expect(await Promise.race([next, quiet])).toBe(idle);
  const { id } = await createEntry(world, { path: '/four' });
  const message = (await next).value as X509SVIDResponse;
  expect(pathsOf(message)).toEqual(['/four', '/one', '/three', '/two']);
  for (const { bundle } of message.svids) expect(bundle.length).toBeGreaterThan(0);
  await deleteEntries(world, id);
  await messageThat(stream, ({ svids }) => svids.length === 3);
  await stream.return?.();
});

it('[WAPI-24] gives one identity per hint, always that of the oldest entry', async () => {
  await createEntry(world, { path: '/hint-z', hint: 'same' });
  // The age of an entry is known to the second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await createEntry(world, { path: '/hint-a', hint: 'same' });
  await createEntry(world, { path: '/marker' });
  const stream = follow();
  const { svids } = await messageThat(stream, (message) => pathsOf(message).includes('/marker'));
  expect(svids.filter(({ hint }) => hint === 'same').map(({ spiffeId }) => spiffeId)).toEqual([
    'spiffe://a.test/hint-z',
  ]);
  await stream.return?.();
});

it('[WAPI-66] keeps the order of identities from message to message', async () => {
  const order = async () =>
    (await first(world.workload.fetchX509SVID({}, HEADER))).svids.map(({ spiffeId }) => spiffeId);
  const before = await order();
  expect(before.length).toBeGreaterThan(2);
  const { id } = await createEntry(world, { path: '/later' });
  const stream = follow();
  const { svids } = await messageThat(stream, (message) => pathsOf(message).includes('/later'));
  expect(svids.map(({ spiffeId }) => spiffeId).filter((one) => one !== 'spiffe://a.test/later')).toEqual(before);
  await deleteEntries(world, id);
  await stream.return?.();
});

it('[WAPI-29] gives the bundle of the own trust domain under its ID', async () => {
  const { bundles } = await first(world.workload.fetchX509Bundles({}, HEADER));
  expect(Object.keys(bundles)).toEqual(['spiffe://a.test']);
  expect(splitDer(bundles['spiffe://a.test'] ?? new Uint8Array())[0]?.ca).toBe(true);
});

it('[WAPI-19] [WAPI-H2] ends open streams with PermissionDenied once nothing is left, and never sends an empty message', async () => {
  const stream = follow();
  const seen: X509SVIDResponse[] = [(await stream.next()).value as X509SVIDResponse];
  const { entries } = await world.entries.listEntries({ filter: { bySpiffeId: undefined } as never });
  const own = entries.filter(({ selectors }) => selectors.some(({ type, value }) => `${type}:${value}` === OWN));
  await deleteEntries(world, ...own.map(({ id }) => id));
  const rest = async () => {
    for (;;) {
      const { value, done } = await stream.next();
      if (done === true) return;
      seen.push(value);
    }
  };
  await expect(rest()).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
  for (const { svids } of seen) expect(svids.length).toBeGreaterThan(0);
  expect(await statusOf(world.workload.fetchX509SVID({}, HEADER))).toBe(Code.PERMISSION_DENIED);
});
