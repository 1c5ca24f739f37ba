import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Source } from '@steeple/client';
import { formatBundleDocument, parseCertificate, TrustBundle, toPem } from '@steeple/spiffe';
import { TestTrustDomain } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { answering, TestEndpoint } from '../../server/src/testing/endpoint.ts';
import { endpointUrl, follow, known, meet, refresh, SPIFFE_ENDPOINT } from './federated-homes.ts';
import { Home, type HomeOptions, until } from './home.ts';

const NAMES = ['a.test', 'b.test', 'c.test'];
const publishing = { federation: { bundle_endpoint: SPIFFE_ENDPOINT } };

/** The only root that a bundle holds, or undefined. */
const onlyRoot = async (home: Home, other: Home): Promise<string | undefined> => {
  const { x509Authorities } = await known(home, other);
  return x509Authorities.length === 1 ? Buffer.from(x509Authorities[0]?.asn1 ?? '').toString('hex') : undefined;
};

it('three trust domains keep talking while each replaces its root, compromised ones too', async () => {
  await using stack = new AsyncDisposableStack();
  const homes: Home[] = [];
  for (const trustDomain of NAMES) homes.push(stack.use(await Home.open({ trustDomain, server: publishing })));
  for (const home of homes) {
    for (const other of homes) if (other !== home) await follow(home, other);
    const federatesWith = NAMES.filter((name) => name !== home.trustDomain.name);
    await home.addEntry({ path: '/work', more: { federatesWith } });
  }
  const sources = new Map<Home, X509Source>();
  for (const home of homes) {
    await home.ready();
    const source = stack.use(await X509Source.open({ address: `unix://${home.socket}` }));
    await until(() => homes.every((other) => source.bundleFor(other.trustDomain) !== undefined));
    sources.set(home, source);
  }
  const source = (home: Home): X509Source => sources.get(home) as X509Source;
  const allMeet = async (): Promise<void> => {
    for (const one of homes) {
      for (const other of homes) {
        if (one !== other) await meet(source(one), source(other), [one.id('/work'), other.id('/work')]);
      }
    }
  };
  await allMeet();

  for (const home of homes) {
    const others = homes.filter((other) => other !== home);
    const { active } = await home.admin.authority.getX509AuthorityState({});
    const oldLeaf = source(home).x509Svid().leaf.serialHex;
    const { preparedAuthority } = await home.admin.authority.prepareX509Authority({});
    for (const other of others) await refresh(other, home);
    await until(() => others.every((other) => source(other).bundleFor(home.trustDomain)?.x509Authorities.length === 2));
    await allMeet();
    await home.admin.authority.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? '' });
    await home.admin.authority.taintX509Authority({ authorityId: active?.authorityId ?? '' });
    await until(() => source(home).x509Svid().leaf.serialHex !== oldLeaf);
    await allMeet();
    await home.admin.authority.revokeX509Authority({ authorityId: active?.authorityId ?? '' });
    // The endpoint itself is recognised by its new root from here on.
    for (const other of others) await refresh(other, home);
    await until(() => others.every((other) => source(other).bundleFor(home.trustDomain)?.x509Authorities.length === 1));
    await allMeet();
  }
  for (const home of homes) {
    const roots = await Promise.all(homes.filter((other) => other !== home).map((other) => onlyRoot(home, other)));
    expect(new Set(roots).size).toBe(2);
  }
});

it('a relationship that ends is not asked any more, and its bundle stays until it is deleted', async () => {
  await using a = await Home.open({ trustDomain: 'a.test' });
  await using b = await Home.open({ trustDomain: 'b.test', server: publishing });
  await follow(a, b);
  await refresh(a, b);
  await a.addEntry({ path: '/work', more: { federatesWith: ['b.test'] } });
  await a.ready();
  await using source = await X509Source.open({ address: `unix://${a.socket}` });
  await until(() => source.bundleFor(b.trustDomain) !== undefined);

  const { results } = await a.admin.federation.batchDeleteFederationRelationship({ trustDomains: ['b.test'] });
  expect(results[0]?.status?.code).toBe(0);
  await expect(refresh(a, b)).rejects.toThrow('no relationship with trust domain "b.test"');
  expect((await known(a, b)).x509Authorities).toHaveLength(1);
  await a.admin.bundle.batchDeleteFederatedBundle({ trustDomains: ['b.test'], mode: 2 });
  await until(() => source.bundleFor(b.trustDomain) === undefined);
});

it('a server whose peer is away knows its last bundle after a restart', async () => {
  await using a = await Home.open({ trustDomain: 'a.test' });
  await using b = await Home.open({ trustDomain: 'b.test', server: publishing });
  await follow(a, b);
  await refresh(a, b);
  const before = await known(a, b);
  await b.stopServer();
  await a.stopServer();
  await a.startServer();
  await expect(refresh(a, b)).rejects.toThrow(/failed to refresh bundle: .*ECONNREFUSED/);
  expect(await known(a, b)).toEqual(before);
});

/** A home that follows `b` by its configuration, with the given way to the first bundle. */
const follower = (b: Home, first: object, more: Partial<HomeOptions> = {}): Promise<Home> => {
  const relationship = {
    bundle_endpoint_url: endpointUrl(b),
    bundle_endpoint_profile: { https_spiffe: { endpoint_spiffe_id: b.id('/spire/server') } },
  };
  const federates_with = { 'b.test': { ...relationship, ...first } };
  return Home.open({ trustDomain: 'a.test', server: { federation: { federates_with } }, ...more });
};

const rootOf = async (home: Home): Promise<Uint8Array> =>
  (await home.admin.bundle.getBundle({})).x509Authorities[0]?.asn1 ?? new Uint8Array();

it('configured relationships get their first bundle by a pin, and win over stored ones', async () => {
  await using b = await Home.open({ trustDomain: 'b.test', server: publishing });
  const pin = createHash('sha256')
    .update(await rootOf(b))
    .digest('hex');
  await using a = await follower(b, { trust_domain_bundle_pin: pin });
  await until(async () => (await a.admin.bundle.listFederatedBundles({})).bundles.length === 1);
  await refresh(a, b);
  await using wrong = await follower(b, { trust_domain_bundle_pin: '0'.repeat(64) });
  await expect(refresh(wrong, b)).rejects.toThrow('no root with this SHA-256 fingerprint');
  expect((await wrong.admin.bundle.listFederatedBundles({})).bundles).toEqual([]);

  // Another one of the same trust domain by the API leads nowhere; the configured one is followed all the same.
  await follow(a, b, { bundleEndpointUrl: 'https://127.0.0.1:1/' });
  await refresh(a, b);
});

it('the first bundle may also come from a file or a web server, and never again after that', async () => {
  await using b = await Home.open({ trustDomain: 'b.test', server: publishing });
  const path = join(b.dir, 'b.pem');
  await writeFile(path, toPem('CERTIFICATE', await rootOf(b)));
  await using byFile = await follower(b, { trust_domain_bundle_path: path, trust_domain_bundle_format: 'pem' });
  await refresh(byFile, b);

  const web = await TestTrustDomain.create('web.test');
  const root = { certificate: parseCertificate(await rootOf(b)), tainted: false };
  const bundle = TrustBundle.of(b.trustDomain, { x509Authorities: [root] });
  await using site = await TestEndpoint.open(
    await web.x509Svid('/site', { dnsNames: ['localhost'] }),
    answering(formatBundleDocument(bundle)),
  );
  const webRoots = () => [toPem('CERTIFICATE', web.issuer.certificate.raw)];
  await using byUrl = await follower(b, { trust_domain_bundle_url: site.url() }, { webRoots });
  await refresh(byUrl, b);
  await refresh(byUrl, b);
  expect(site.requests).toHaveLength(1);
  for (const home of [byFile, byUrl]) expect((await known(home, b)).jwtAuthorities).toHaveLength(1);

  await using missing = await follower(b, { trust_domain_bundle_path: join(b.dir, 'none') });
  await expect(refresh(missing, b)).rejects.toThrow(/failed to refresh bundle: .*ENOENT/);
});
