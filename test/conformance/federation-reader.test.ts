// Whom a real server believes to be the bundle endpoint of another trust domain, asked over its API.
import { TestTrustDomain } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { answering, publishing, redirecting, TestEndpoint } from '../../server/src/testing/endpoint.ts';
import { rootsOf, spiffeProfile, wireBundle } from './federation-world.ts';
import { ReaderWorld } from './reader-world.ts';

const EXAMPLE = 'https://b.test/';
const INVALID_ARGUMENT = 3;
const w = new ReaderWorld();

it('[FED-28] [FED-54] believes a web server only for its own name, by an authority of the Web, and in its time', async () => {
  await w.overWeb();
  await w.refresh();
  const before = rootsOf(await w.known());
  await w.b.rotate();
  const wrong = [
    await w.web.x509Svid('/site', { dnsNames: ['elsewhere.test'] }),
    await w.web.x509Svid('/site', { dnsNames: ['localhost'], ttl: -60 }),
    await w.b.x509Svid('/ep', { dnsNames: ['localhost'] }),
    await w.b.x509Svid('/ep'),
  ];
  for (const svid of wrong) {
    w.site.present(svid);
    expect(await w.refresh()).toContain('failed to refresh bundle');
  }
  expect(rootsOf(await w.known())).toEqual(before);
});

it('[FED-43] [FED-54] believes over SPIFFE exactly the configured identity, whatever the host is called', async () => {
  await w.overSpiffe();
  w.site.present(await w.b.x509Svid('/ep', { dnsNames: ['elsewhere.test'] }));
  expect(await w.refresh()).toBe('fresh');
  const asked = w.site.requests.length;
  const c = await TestTrustDomain.create('c.test');
  for (const svid of [await w.b.x509Svid('/other'), await c.x509Svid('/ep'), await w.webCertificate()]) {
    w.site.present(svid);
    expect(await w.refresh()).toContain('failed to refresh bundle');
  }
  expect(w.site.requests).toHaveLength(asked);
});

it('[FED-30] [FED-47] [FED-32] [FED-49] follows a redirect each time anew, from the configured URL', async () => {
  for (const profile of ['web', 'spiffe']) {
    await w.renew();
    await (profile === 'web' ? w.overWeb() : w.overSpiffe());
    const svid = profile === 'web' ? await w.webCertificate() : await w.b.x509Svid('/ep');
    await using target = await TestEndpoint.open(
      svid,
      publishing(() => w.b.bundle),
    );
    w.site.answer = redirecting(target.url('/new'), 308);
    expect(await w.refresh()).toBe('fresh');
    expect(target.requests.at(-1)).toContain('GET /new');
    const [asked, askedThere] = [w.site.requests.length, target.requests.length];
    w.site.answer = publishing(() => w.b.bundle);
    expect(await w.refresh()).toBe('fresh');
    expect([w.site.requests.length, target.requests.length]).toEqual([asked + 1, askedThere]);
  }
});

it('[FED-31] [FED-48] [FED-30] follows no redirect to what is not believed as well', async () => {
  await w.overSpiffe();
  await using other = await TestEndpoint.open(
    await w.b.x509Svid('/other'),
    publishing(() => w.b.bundle),
  );
  for (const target of [other.url(), 'http://localhost/', 'https://u@localhost/', 'file:///etc/hosts', 'spiffe://b/']) {
    w.site.answer = redirecting(target);
    expect(await w.refresh()).toContain('failed to refresh bundle');
  }
  expect(other.requests).toEqual([]);
  await w.renew();
  await w.overWeb();
  await using stranger = await TestEndpoint.open(
    await w.b.x509Svid('/x', { dnsNames: ['localhost'] }),
    answering('{}'),
  );
  w.site.answer = redirecting(stranger.url());
  expect(await w.refresh()).toContain('failed to refresh bundle');
  expect(stranger.requests).toEqual([]);
});

it('[FED-34] [FED-36] trusts nobody on first use: the bundle of the endpoint must be known before', async () => {
  const missing = await w.reader.relate(w.name, EXAMPLE, spiffeProfile(''));
  expect(missing).toBe(INVALID_ARGUMENT);
  const c = await TestTrustDomain.create('c.unknown.test');
  w.site = await TestEndpoint.open(
    await c.x509Svid('/ep'),
    publishing(() => w.b.bundle),
  );
  w.keep(w.site);
  expect(await w.reader.relate(w.name, w.site.url(), spiffeProfile(c.id('/ep').toString()))).toBe(0);
  expect(await w.refresh()).toContain('local copy of bundle not found');
  await w.reader.bundles.batchSetFederatedBundle({ bundle: [wireBundle(c)] });
  expect(await w.refresh()).toBe('fresh');
  expect(rootsOf(await w.known())).toHaveLength(1);
});

it('[FED-45] recognises an endpoint of another trust domain by that one as it is now', async () => {
  const c = await TestTrustDomain.create('c.rotating.test');
  w.site = await TestEndpoint.open(
    await c.x509Svid('/ep'),
    publishing(() => w.b.bundle),
  );
  w.keep(w.site);
  await w.reader.relate(w.name, w.site.url(), spiffeProfile(c.id('/ep').toString()));
  await w.reader.bundles.batchSetFederatedBundle({ bundle: [wireBundle(c)] });
  expect(await w.refresh()).toBe('fresh');
  await c.rotate();
  c.revokeOld();
  w.site.present(await c.x509Svid('/ep'));
  expect(await w.refresh()).toContain('failed to refresh bundle');
  await w.reader.bundles.batchSetFederatedBundle({ bundle: [wireBundle(c)] });
  expect(await w.refresh()).toBe('fresh');
});

it('[FED-35] [FED-44] begins with a bundle that is given, and goes on with the latest, never with the first again', async () => {
  const first = w.b.bundle;
  let sequence = 1n;
  await w.overSpiffe(publishing(() => w.b.bundle.with({ sequence: ++sequence })));
  for (let round = 0; round < 2; round += 1) {
    await w.b.rotate();
    expect(await w.refresh()).toBe('fresh');
    w.b.revokeOld();
    w.site.present(await w.b.x509Svid('/ep'));
    expect(await w.refresh()).toBe('fresh');
  }
  const { x509Authorities } = await w.known();
  expect(x509Authorities).toHaveLength(1);
  expect(Buffer.from(x509Authorities[0]?.asn1 ?? '')).not.toEqual(
    Buffer.from(first.x509Authorities[0]?.certificate.raw ?? ''),
  );
});
