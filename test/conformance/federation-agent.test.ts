// Bundles of other trust domains on their way through a real agent to a workload.
import { verifyX509Svid, X509Source } from '@steeple/client';
import { TestTrustDomain } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { publishing, TestEndpoint } from '../../server/src/testing/endpoint.ts';
import { HEADER, Home, until } from '../e2e/home.ts';
import { rootsOf, spiffeProfile, wireBundle } from './federation-world.ts';

const NAMES = ['b.test', 'c.test'];

/** Two foreign trust domains, each followed by the home's server. */
async function federate(
  home: Home,
  domains: readonly TestTrustDomain[],
  stack: AsyncDisposableStack,
): Promise<TestEndpoint[]> {
  const sites: TestEndpoint[] = [];
  for (const domain of domains) {
    const site = stack.use(
      await TestEndpoint.open(
        await domain.x509Svid('/ep'),
        publishing(() => domain.bundle),
      ),
    );
    sites.push(site);
    await home.admin.federation.batchCreateFederationRelationship({
      federationRelationships: [
        {
          trustDomain: domain.trustDomain.name,
          bundleEndpointUrl: site.url(),
          bundleEndpointProfile: spiffeProfile(domain.id('/ep').toString()),
          trustDomainBundle: wireBundle(domain),
        },
      ],
    });
    await home.admin.federation.refreshBundle({ trustDomain: domain.trustDomain.name });
  }
  return sites;
}

it('[FED-11] [FED-17] [FED-51] hands out each bundle under its own name, and takes it back when the trust ends', async () => {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await Home.open({ trustDomain: 'a.test' }));
  const [b, c] = [await TestTrustDomain.create('b.test'), await TestTrustDomain.create('c.test')];
  const [site] = await federate(home, [b, c], stack);
  await home.addEntry({ path: '/work', more: { federatesWith: NAMES } });
  await home.ready();
  const source = stack.use(await X509Source.open({ address: `unix://${home.socket}` }));
  await until(() => [b, c].every(({ trustDomain }) => source.bundleFor(trustDomain) !== undefined));

  for await (const { bundles } of home.workload.fetchX509Bundles({}, { metadata: HEADER })) {
    const ids = ['spiffe://a.test', 'spiffe://b.test', 'spiffe://c.test'];
    expect(Object.keys(bundles).sort()).toEqual(ids);
    const sizes = Object.values(bundles).map(({ length }) => length);
    expect(sizes.every((size) => size > 0 && size < 1500)).toBe(true);
    break;
  }
  const now = Date.now() / 1000;
  const own = await b.x509Svid('/peer');
  expect(verifyX509Svid(own.chain, source, { now }).id.toString()).toBe('spiffe://b.test/peer');
  // Signed by c.test in the name of b.test.
  const forged = await c.issuer.issueLeaf({
    id: b.id('/peer'),
    spki: own.leaf.spki,
    notBefore: now - 10,
    notAfter: now + 600,
    serial: new Uint8Array(16).fill(7),
  });
  expect(() => verifyX509Svid([forged], source, { now })).toThrow();
  const known = await home.admin.bundle.getFederatedBundle({ trustDomain: 'b.test' });
  expect(rootsOf(known)).toEqual([Buffer.from(b.issuer.certificate.raw).toString('hex')]);

  const asked = site?.requests.length;
  await home.admin.federation.batchDeleteFederationRelationship({ trustDomains: ['b.test'] });
  await home.admin.bundle.batchDeleteFederatedBundle({ trustDomains: ['b.test'], mode: 2 });
  await until(() => source.bundleFor(b.trustDomain) === undefined);
  expect(() => verifyX509Svid(own.chain, source, { now })).toThrow();
  expect(source.bundleFor(c.trustDomain)).toBeDefined();
  await b.rotate();
  await expect(home.admin.federation.refreshBundle({ trustDomain: 'b.test' })).rejects.toThrow('no relationship');
  expect(site?.requests.length).toBe(asked);
});
