import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { formatBundleDocument } from '@steeple/client';
import type { types } from '@steeple/proto/server-api';
import { TestTrustDomain } from '@steeple/test-kit';
import { Process } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { controllerManager } from '../peers/third-party.ts';
import { eventually } from '../spire/checks.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import { EACH_SERVER, type Suite } from '../spire/suite.ts';
import { Manifests } from './manifests.ts';

const call = { deadline: 20 };
/** More than one page, and several batches. */
const MANY = 230;

const idOf = (id: types.SPIFFEID | undefined): string => `spiffe://${id?.trustDomain}${id?.path}`;

/** Everything of an entry but its number and its day. */
export const seen = (entry: types.Entry) => ({
  spiffeId: idOf(entry.spiffeId),
  parentId: idOf(entry.parentId),
  // SPIRE lists them as they were stored, ours in order: they are a set.
  selectors: entry.selectors.map(({ type, value }) => `${type}:${value}`).sort(),
  ttls: [entry.x509SvidTtl, entry.jwtSvidTtl],
  federatesWith: entry.federatesWith,
  dnsNames: entry.dnsNames,
  hint: entry.hint,
  flags: [entry.admin, entry.downstream, entry.storeSvid],
  expiresAt: Number(entry.expiresAt),
  revision: Number(entry.revisionNumber),
});

export async function allOf({ api }: ServerUnit): Promise<types.Entry[]> {
  const all: types.Entry[] = [];
  let pageToken = '';
  do {
    const { entries, nextPageToken } = await api.entry.listEntries({ pageSize: 200, pageToken }, call);
    all.push(...entries);
    pageToken = nextPageToken;
  } while (pageToken !== '');
  return all;
}

/** The entry of that path, once it is as expected. */
function becomes(server: ServerUnit, path: string, expected: Partial<ReturnType<typeof seen>>): Promise<types.Entry> {
  let last: unknown;
  const look = async () => {
    const found = (await allOf(server)).find(({ spiffeId }) => spiffeId?.path === path);
    if (found === undefined) return undefined;
    last = seen(found);
    return isDeepStrictEqual(last, { ...seen(found), ...expected }) ? found : undefined;
  };
  return eventually(`${path} becomes ${JSON.stringify(expected)}`, look, 30).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${JSON.stringify(last)}`);
  });
}

/**
 * spire-controller-manager without Kubernetes: entries under its prefix and relationships become what the manifests say,
 * whatever happens to them, and what is not its own stays. What the server answers is written out here, field by field.
 */
export const controllerManagerSuite: Suite = {
  name: 'spire-controller-manager',
  pairings: EACH_SERVER,
  run: async (site, pairing) => {
    const program = await controllerManager();
    const server = await site.server(pairing.server);
    const parent = server.id('/node');
    const byHand = await server.createEntry(server.id('/by-hand'), parent, ['unix:uid:7'], { id: 'by-hand' });
    const other = await TestTrustDomain.create('other.test');
    const manifests = await Manifests.create(join(site.folder('manager'), 'manifests'));
    const relationship = {
      trustDomain: 'other.test',
      bundleEndpointURL: 'https://localhost:1/bundle',
      bundleEndpointProfile: { type: 'https_spiffe', endpointSPIFFEID: 'spiffe://other.test/endpoint' },
      trustDomainBundle: Buffer.from(formatBundleDocument(other.bundle)).toString(),
    } as const;
    const full = {
      spiffeID: server.id('/full'),
      parentID: parent,
      selectors: ['unix:uid:8', 'k8s:pod-uid:1', 'k8s:ns:default'],
      federatesWith: ['other.test'],
      x509SVIDTTL: '10m',
      jwtSVIDTTL: '90s',
      dnsNames: ['web.example.org', 'a.example.org'],
      hint: 'first',
      admin: true,
      downstream: true,
    } as const;
    await manifests.domain('other', relationship);
    await manifests.entry('full', full);
    await manifests.entry('stored', { ...bare(server, '/stored'), storeSVID: true });
    for (let index = 0; index < MANY; index += 1)
      await manifests.entry(`many-${index}`, bare(server, `/many/${index}`));
    const config = join(manifests.dir, '..', 'config.yaml');
    await writeFile(config, JSON.stringify(configuration(server, manifests.dir)));
    site.watch(new Process('spire-controller-manager', program, ['-config', config]));

    const made = await becomes(server, '/full', {
      spiffeId: full.spiffeID,
      parentId: parent,
      selectors: ['k8s:ns:default', 'k8s:pod-uid:1', 'unix:uid:8'],
      ttls: [600, 90],
      federatesWith: ['other.test'],
      dnsNames: ['web.example.org', 'a.example.org'],
      hint: 'first',
      flags: [true, true, false],
      expiresAt: 0,
      revision: 0,
    });
    ensure(/^scm\.[0-9a-f-]{36}$/.test(made.id), `an ID with the prefix: ${made.id}`);
    ensure(made.createdAt > 0n, 'the day it was made');
    await becomes(server, '/stored', { flags: [false, false, true], ttls: [0, 0], hint: '' });
    await eventually('all entries are there', async () => (await allOf(server)).length === MANY + 3 || undefined, 30);
    await relationships(server, other);

    await manifests.entry('full', {
      ...full,
      dnsNames: ['b.example.org'],
      x509SVIDTTL: '20m',
      hint: '',
      downstream: false,
    });
    const changes = { dnsNames: ['b.example.org'], ttls: [1200, 90], hint: '', flags: [true, false, false] };
    const changed = await becomes(server, '/full', { ...changes, revision: 1 });
    ensure(changed.id === made.id, 'an update keeps the ID');

    // What others do to its entries is undone, also by a server that was away.
    await server.deleteEntry(made.id);
    await server.restart();
    const again = await becomes(server, '/full', { ...changes, revision: 0 });
    ensure(again.id !== made.id, 'made anew under another ID');

    await manifests.remove('full');
    await manifests.remove('other');
    for (let index = 0; index < MANY; index += 1) await manifests.remove(`many-${index}`);
    await eventually('what has no manifest goes', async () => (await allOf(server)).length === 2 || undefined, 30);
    const left = (await allOf(server)).map(({ spiffeId }) => spiffeId?.path ?? '').sort();
    ensure(left.join() === '/by-hand,/stored', `what is left: ${left}`);
    const { entries } = await server.api.entry.listEntries({}, call);
    const untouched = entries.find(({ id }) => id === byHand.id);
    ensure(
      untouched !== undefined && isDeepStrictEqual(seen(untouched), seen(byHand)),
      'the entry made by hand is as it was',
    );
    await eventually('the relationship goes', async () => {
      const { federationRelationships } = await server.api.trustDomain.listFederationRelationships({}, call);
      return federationRelationships.length === 0 || undefined;
    });
  },
};

const bare = (server: ServerUnit, path: string) => ({
  spiffeID: server.id(path),
  parentID: server.id('/node'),
  selectors: [`unix:path:${path}`],
});

async function relationships({ api }: ServerUnit, other: TestTrustDomain): Promise<void> {
  const found = await eventually('the relationship is there', async () => {
    const { federationRelationships } = await api.trustDomain.listFederationRelationships({ pageSize: 200 }, call);
    return federationRelationships.length === 1 ? federationRelationships[0] : undefined;
  });
  const { trustDomain, bundleEndpointUrl, bundleEndpointProfile: profile, trustDomainBundle } = found;
  const told = [trustDomain, bundleEndpointUrl, profile.case === 'httpsSpiffe' ? profile.value.endpointSpiffeId : ''];
  ensure(told.join() === 'other.test,https://localhost:1/bundle,spiffe://other.test/endpoint', `as told: ${told}`);
  const [root] = trustDomainBundle?.x509Authorities ?? [];
  ensure(Buffer.from(other.issuer.certificate.raw).equals(root?.asn1 ?? Buffer.of()), 'with its bundle');
}

/** `gcInterval` is in nanoseconds. */
export const configuration = (server: ServerUnit, manifests: string): object => ({
  apiVersion: 'spire.spiffe.io/v1alpha1',
  kind: 'ControllerManagerConfig',
  metadata: { name: 'config' },
  metrics: { bindAddress: '0' },
  health: { healthProbeBindAddress: '0' },
  entryIDPrefix: 'scm',
  className: 'scm',
  watchClassless: true,
  clusterName: 'scm',
  clusterDomain: 'local',
  trustDomain: server.trustDomain.name,
  gcInterval: 1_000_000_000,
  reconcile: { clusterSPIFFEIDs: false, clusterFederatedTrustDomains: true, clusterStaticEntries: true },
  staticManifestPath: manifests,
  spireServerSocketPath: server.adminSocket,
});
