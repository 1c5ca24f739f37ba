// What a Workload API says is revoked, in the hands of our client.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  authorizeAny,
  connectTls,
  createTlsServer,
  verifyX509Svid,
  WorkloadBundleSource,
  X509Source,
  X509Svid,
} from '@steeple/client';
import { x509Response } from '@steeple/client/testing';
import { type ForgeCrlOptions, forgeCertificate, forgeCrl, goodLeaf, goodRoot } from '@steeple/test-kit';
import { afterEach, expect, it } from 'vitest';
import { clientWorld, failureOf, nextEvent } from './client-world.ts';
import { certificateOf, rootsOf } from './x509-world.ts';

const world = clientWorld();
const now = Math.floor(Date.now() / 1000);
const root = forgeCertificate(goodRoot('a.test', now));
const bundles = [rootsOf('a.test', root)];
const svidOf = (name: string) => {
  const leaf = forgeCertificate({ ...goodLeaf(`spiffe://a.test/${name}`, now), issuer: root });
  return X509Svid.fromParts([certificateOf(leaf)], leaf.privateKey);
};
const [own, good, bad] = [svidOf('own'), svidOf('good'), svidOf('bad')];
const listing = {
  issuer: root.subject,
  signWith: root.privateKey,
  serials: [bad.leaf.serialHex],
  thisUpdate: now - 60,
};
const crl = (changes: Partial<ForgeCrlOptions> = {}) => forgeCrl({ ...listing, nextUpdate: now + 3600, ...changes });

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function sources() {
  const options = { client: world.client, timeout: 10 };
  const opened = [await X509Source.open(options), await WorkloadBundleSource.openX509(options)] as const;
  closers.push(...opened.map((source) => () => source.close()));
  return opened;
}

it('[WAPI-H3] refuses what a list revokes and nothing else, in verifyX509 and in a TLS handshake', async () => {
  const { api } = world;
  api.issue({ svids: [own], bundles, crls: [crl()] });
  const [source, bundleSource] = await sources();
  for (const trusted of [source, bundleSource]) {
    expect(verifyX509Svid(good.chain, trusted, { now }).id.path).toBe('/good');
    expect(() => verifyX509Svid(bad.chain, trusted, { now })).toThrow('revoked');
  }
  const { meet } = await serving(source);
  expect((await meet(good)).peer.id.path).toBe('/good');
  expect(await failureOf(meet(bad))).toMatchObject({ code: 'untrusted-peer', cause: { code: 'revoked' } });
});

it('[WAPI-H3] cuts an open connection when a list comes that revokes its peer', async () => {
  const { api } = world;
  api.issue({ svids: [own], bundles });
  const [source] = await sources();
  const { meet } = await serving(source);
  const [kept, doomed] = [await meet(good), await meet(bad)];
  const cut = once(doomed.socket, 'error');
  api.issue({ svids: [own], bundles, crls: [crl()] });
  expect((await cut)[0]).toMatchObject({ code: 'untrusted-peer', cause: { code: 'revoked' } });
  expect(kept.socket.destroyed).toBe(false);
});

it('[WAPI-H3] trusts nobody by a list that is out of date, and takes a withdrawn list for no list', async () => {
  const { api } = world;
  api.issue({ svids: [own], bundles, crls: [crl({ nextUpdate: now - 30 })] });
  const [source] = await sources();
  expect(() => verifyX509Svid(good.chain, source, { now })).toThrow('out of date');
  const updated = new Promise((resolve) => source.on('update', resolve));
  api.issue({ svids: [own], bundles });
  await updated;
  expect(verifyX509Svid(bad.chain, source, { now }).id.path).toBe('/bad');
});

it('[WAPI-H3] drops a message whose list it cannot read or does not understand', async () => {
  const { api, client } = world;
  for (const broken of [Uint8Array.of(1), new Uint8Array(), crl({ criticalExtension: '1.2.3.4' })]) {
    api.x509.publish(x509Response([own], bundles, [crl(), broken]));
    const events = client.watchX509Context()[Symbol.asyncIterator]();
    expect(await nextEvent(events, 'error')).toMatchObject({ error: { code: 'invalid-response' } });
    await events.return?.();
  }
});

/** A TLS server that presents what it is told to; `meet` connects to it with the source's trust. */
async function serving(source: X509Source) {
  const policy = { bundles: source, authorize: authorizeAny() };
  let presented = good;
  const listener = createTlsServer(
    { ...policy, svid: { x509Svid: () => presented }, clientCertificate: 'none' },
    (socket) => void socket.on('error', () => {}).resume(),
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  closers.push(() => void listener.close());
  const { port } = listener.address() as AddressInfo;
  const meet = async (svid: X509Svid) => {
    presented = svid;
    const met = await connectTls({ host: '127.0.0.1', port }, policy);
    closers.push(() => met.socket.destroy());
    return met;
  };
  return { meet };
}
