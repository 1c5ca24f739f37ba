import { main } from '@steeple/cli';
import { ensure } from '../case.ts';
import { hasX509 } from '../spire/checks.ts';
import { type ServerUnit, wireId } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** A SPIRE server is replaced by ours: what it holds is copied, and its agents get the same identities from the new one. */
export const migrate: Suite = {
  name: 'migrate',
  pairings: [
    { server: 'spire', agent: 'spire' },
    { server: 'spire', agent: 'steeple' },
  ],
  run: async (site, pairing) => {
    const old = await site.server('spire');
    const agent = await site.agent(pairing.agent, old);
    await old.createEntry(old.id('/web'), agent.id, [self], { dnsNames: ['b.test', 'a.test'], hint: 'mine' });
    await hasX509(agent, old.id('/web'));
    await fill(old);

    const next = await site.server('steeple', { nodes: old.nodes });
    const dry = await migrateTo(next, old, '--dry-run');
    ensure(dry.code === 0, `a dry run succeeds: ${dry.text}`);
    ensure((await next.api.entry.countEntries({}, { deadline: 10 })).count === 0, 'and changes nothing');

    const done = await migrateTo(next, old, '--yes', '--trust-issued');
    for (const named of [
      /bad-dns.*invalid DNS name/,
      /long-id.*2048/,
      /twin.*has the SPIFFE ID, parent and selectors/,
    ]) {
      ensure(named.test(done.text), `what cannot be taken is named (${named}):\n${done.text}`);
    }
    ensure(done.code === 1, 'and the command says so by its exit code');
    await same(old, next, ['bad-dns', 'long-id', 'twin-2']);

    const again = await migrateTo(next, old, '--yes');
    ensure(/^0 to create, 0 to update/m.test(again.text), `nothing is left to do:\n${again.text}`);

    const { svid: before } = await hasX509(agent, old.id('/web'));
    await agent.process.stop();
    const moved = await site.agent(pairing.agent, next, agent.node === undefined ? {} : { node: agent.node });
    const { svid, context } = await hasX509(moved, old.id('/web'));
    ensure(svid.leaf.dnsSans.join() === 'b.test,a.test', `the same names: ${svid.leaf.dnsSans}`);
    ensure(svid.leaf.commonName === before.leaf.commonName, 'the same common name');
    const trusted = context.bundles.get(old.trustDomain)?.x509Authorities.length;
    ensure(trusted === 2, `both servers are trusted meanwhile: ${trusted}`);
  },
};

/** What a SPIRE server takes, ours or not. */
async function fill(old: ServerUnit): Promise<void> {
  const other = { trustDomain: 'other.test', refreshHint: 60n };
  await old.api.bundle.batchSetFederatedBundle({ bundle: [other] }, { deadline: 10 });
  const federationRelationships = [
    {
      trustDomain: 'far.test',
      bundleEndpointUrl: 'https://127.0.0.1:1/',
      bundleEndpointProfile: { case: 'httpsSpiffe', value: { endpointSpiffeId: 'spiffe://far.test/endpoint' } },
    } as const,
  ];
  await old.api.trustDomain.batchCreateFederationRelationship({ federationRelationships }, { deadline: 10 });
  const parent = old.id('/parent');
  for (let n = 0; n < 60; n++) await old.createEntry(old.id(`/many/${n}`), parent, [`unix:uid:${n}`], { id: `m${n}` });
  const more = { federatesWith: ['other.test'], admin: true, x509SvidTtl: 600, jwtSvidTtl: 60, downstream: true };
  await old.createEntry(old.id('/full'), parent, [self, 'unix:gid:5'], { id: 'full', ...more });
  await old.createEntry(old.id('/stored'), parent, ['disk:a'], { id: 'stored', storeSvid: true });
  await old.createEntry(old.id('/bad'), parent, [self], { id: 'bad-dns', dnsNames: ['a b'] });
  await old.createEntry(old.id(`/${'x'.repeat(2100)}`), parent, [self], { id: 'long-id' });
  await old.createEntry(old.id('/twin'), parent, ['unix:uid:1'], { id: 'twin-1' });
  const second = await old.createEntry(old.id('/twin'), parent, ['unix:uid:2'], { id: 'twin-2' });
  const alike = {
    id: second.id,
    spiffeId: wireId(old.id('/twin')),
    parentId: wireId(parent),
    selectors: [{ type: 'unix', value: 'uid:1' }],
  };
  await old.api.entry.batchUpdateEntry({ entries: [alike] }, { deadline: 10 });
}

async function migrateTo(
  next: ServerUnit,
  old: ServerUnit,
  ...flags: string[]
): Promise<{ code: number; text: string }> {
  let text = '';
  const add = (line: string): void => {
    text += `${line}\n`;
  };
  const code = await main(['migrate', 'from-spire', '--from', old.adminSocket, '--to', next.adminSocket, ...flags], {
    env: {},
    signal: new AbortController().signal,
    colour: false,
    uid: 0,
    userName: 'someone',
    out: add,
    err: add,
    now: () => Date.now() / 1000,
  });
  return { code, text };
}

/** Everything but what could not be taken, field by field as the API tells it. */
async function same(old: ServerUnit, next: ServerUnit, missing: readonly string[]): Promise<void> {
  const [theirs, ours] = await Promise.all(
    [old, next].map(async ({ api }) => {
      const { entries } = await api.entry.listEntries({}, { deadline: 20 });
      const shown = entries
        .filter(({ id }) => !missing.includes(id))
        .map((entry) => ({
          ...entry,
          createdAt: 0n,
          revisionNumber: 0n,
          selectors: entry.selectors.map(({ type, value }) => `${type}:${value}`).sort(),
        }));
      const { bundles } = await api.bundle.listFederatedBundles({}, { deadline: 20 });
      const { federationRelationships } = await api.trustDomain.listFederationRelationships({}, { deadline: 20 });
      const text = (value: unknown): string =>
        JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? String(one) : one));
      return [
        ...shown.map(text),
        ...bundles.map(({ trustDomain, refreshHint }) => text([trustDomain, refreshHint])),
        ...federationRelationships.map(({ trustDomain, bundleEndpointUrl, bundleEndpointProfile }) =>
          text([trustDomain, bundleEndpointUrl, bundleEndpointProfile]),
        ),
      ].sort();
    }),
  );
  const lost = theirs?.filter((one) => ours?.includes(one) !== true) ?? [];
  ensure(lost.length === 0, `all is there, but not ${lost.slice(0, 3).join('\n')}`);
  ensure((ours?.length ?? 0) === (theirs?.length ?? 0), `and no more: ${ours?.length} of ${theirs?.length}`);
}
