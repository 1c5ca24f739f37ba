import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { main } from '@steeple/cli';
import { formatBundleDocument } from '@steeple/client';
import type { types } from '@steeple/proto/server-api';
import { TestTrustDomain } from '@steeple/test-kit';
import { Process } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { controllerManager } from '../peers/third-party.ts';
import { eventually } from '../spire/checks.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import { EACH_SERVER, type Suite } from '../spire/suite.ts';
import { allOf, configuration, seen } from './controller-manager.ts';
import { Manifests } from './manifests.ts';

/** Same files, two programs: spire-controller-manager for one server, `steeple apply` for another. What they hold is the same. */
export const applySuite: Suite = {
  name: 'steeple apply and spire-controller-manager',
  pairings: EACH_SERVER,
  run: async (site, pairing) => {
    const program = await controllerManager();
    const theirs = await site.server(pairing.server);
    const ours = await site.server(pairing.server);
    const manifests = await Manifests.create(join(site.folder('manager'), 'manifests'));
    const count = await writeAll(manifests, theirs);
    const config = join(manifests.dir, '..', 'config.yaml');
    await writeFile(config, JSON.stringify(configuration(theirs, manifests.dir)));
    site.watch(new Process('spire-controller-manager', program, ['-config', config]));
    await eventually('their entries', async () => (await allOf(theirs)).length === count || undefined, 30);
    const domains = async () => (await relationships(theirs)).length === 2 || undefined;
    await eventually('their relationships', domains, 30);

    const applied = await apply(ours, manifests.dir);
    ensure(applied.code === 0, `applied:\n${applied.text}`);
    await same(theirs, ours, 'made');
    const again = await apply(ours, manifests.dir);
    ensure(/0 to create, 0 to update/.test(again.text), `nothing the second time:\n${again.text}`);

    await manifests.entry('full', { ...full(theirs), dnsNames: ['c.example.org'], hint: '', downstream: false });
    await manifests.remove('plain');
    await manifests.remove('web');
    const isFewer = async () => (await allOf(theirs)).length === count - 1 || undefined;
    await eventually('one entry less', isFewer, 30);
    const isOne = async () => (await relationships(theirs)).length === 1 || undefined;
    await eventually('one relationship less', isOne, 30);
    await eventually('the change', async () => (await hinted(theirs)) === '' || undefined, 30);
    const pruned = await apply(ours, manifests.dir, '--prune');
    ensure(pruned.code === 0, `pruned:\n${pruned.text}`);
    await same(theirs, ours, 'changed');
  },
};

const full = (server: ServerUnit) =>
  ({
    spiffeID: server.id('/full'),
    parentID: server.id('/node'),
    selectors: ['unix:uid:8', 'k8s:pod-uid:1', 'k8s:container-image:docker/hello-world'],
    federatesWith: ['other.test'],
    x509SVIDTTL: '1h2m3s',
    jwtSVIDTTL: '90s',
    dnsNames: ['web.example.org', 'a.example.org'],
    hint: 'first',
    admin: true,
    downstream: true,
  }) as const;

/** @returns how many entries they make */
async function writeAll(manifests: Manifests, server: ServerUnit): Promise<number> {
  const other = await TestTrustDomain.create('other.test');
  await manifests.domain('other', {
    trustDomain: 'other.test',
    bundleEndpointURL: 'https://localhost:1/bundle',
    bundleEndpointProfile: { type: 'https_spiffe', endpointSPIFFEID: 'spiffe://other.test/endpoint' },
    trustDomainBundle: Buffer.from(formatBundleDocument(other.bundle)).toString(),
  });
  await manifests.domain('web', {
    trustDomain: 'web.test',
    bundleEndpointURL: 'https://localhost:2/bundle',
    bundleEndpointProfile: { type: 'https_web' },
  });
  const bare = { parentID: server.id('/node'), selectors: ['unix:uid:9'] };
  await manifests.entry('full', full(server));
  await manifests.entry('plain', { ...bare, spiffeID: server.id('/plain') });
  await manifests.entry('stored', { ...bare, spiffeID: server.id('/stored'), storeSVID: true });
  const alias = { parentID: server.id('/spire/server'), selectors: ['k8s_psat:cluster:c'] };
  await manifests.entry('node.alias', { ...alias, spiffeID: server.id('/node') });
  return 4;
}

async function apply(server: ServerUnit, folder: string, ...more: readonly string[]) {
  await mkdir(folder, { recursive: true });
  const lines: string[] = [];
  const code = await main(['apply', '-f', folder, '--socket', server.adminSocket, ...more], {
    env: {},
    signal: new AbortController().signal,
    colour: false,
    uid: 0,
    userName: 'root',
    out: (line) => lines.push(line),
    err: (line) => lines.push(line),
    now: () => Date.now() / 1000,
  });
  return { code, text: lines.join('\n') };
}

const hinted = async (server: ServerUnit): Promise<string | undefined> =>
  (await allOf(server)).find(({ spiffeId }) => spiffeId?.path === '/full')?.hint;

const relationships = async ({ api }: ServerUnit): Promise<types.FederationRelationship[]> =>
  (await api.trustDomain.listFederationRelationships({ pageSize: 200 }, { deadline: 20 })).federationRelationships;

/** Without the record of what apply made, and without what only counts changes. */
async function contentOf(server: ServerUnit): Promise<object> {
  const entries = (await allOf(server))
    .filter(({ spiffeId }) => spiffeId?.path.startsWith('/steeple/owner/') !== true)
    .map((entry) => ({ ...seen(entry), dnsNames: entry.dnsNames.toSorted(), revision: 0 }))
    .toSorted((a, b) => (a.spiffeId < b.spiffeId ? -1 : 1));
  const domains = (await relationships(server))
    .map((one) => ({
      name: one.trustDomain,
      url: one.bundleEndpointUrl,
      profile: one.bundleEndpointProfile.case,
      endpoint:
        one.bundleEndpointProfile.case === 'httpsSpiffe' ? one.bundleEndpointProfile.value.endpointSpiffeId : undefined,
      roots: one.trustDomainBundle?.x509Authorities.map(({ asn1 }) => Buffer.from(asn1).toString('base64')),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { entries, domains };
}

async function same(theirs: ServerUnit, ours: ServerUnit, when: string): Promise<void> {
  const [a, b] = [await contentOf(theirs), await contentOf(ours)];
  ensure(isDeepStrictEqual(a, b), `${when}: theirs\n${JSON.stringify(a)}\nours\n${JSON.stringify(b)}`);
}
