import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BundleSet, parseCertificatesPem, TrustBundle, X509Svid } from '@steeple/client';
import { ensure } from '../case.ts';
import { eventually } from '../spire/checks.ts';
import { handshake, type Party } from '../spire/handshake.ts';
import { MAKERS } from '../spire/maker.ts';
import { wireId, wireSelector } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';

/**
 * SPIRE's `svidstore`: entries to be stored are, and no others; they follow updates and go with their entry. SPIRE's suite
 * brings a store of its own as a plugin; ours has one built in, so these are our agent's cases, under both servers.
 */
export const svidStore: Suite = {
  name: 'svidstore',
  pairings: MAKERS.map((server) => ({ server, agent: 'steeple' })),
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const directory = site.folder('store');
    const agent = await site.agent(pairing.agent, server, { plugins: { SVIDStore: { disk: { directory } } } });
    const stored = (name: string) => ['disk', 'name', name].join(':');
    const read = async (name: string): Promise<Party> => {
      const file = async (kind: string) => readFile(join(directory, name, `${kind}.pem`), 'utf8');
      const svid = X509Svid.fromParts(
        parseCertificatesPem(await file('svid')),
        createPrivateKey(await file('svid_key')),
      );
      const x509Authorities = parseCertificatesPem(await file('svid_bundle')).map((certificate) => ({
        certificate,
        tainted: false,
      }));
      return { svid, bundles: BundleSet.of(TrustBundle.of(server.trustDomain, { x509Authorities })) };
    };
    const has = (name: string, id: string) =>
      eventually(`${name} holds ${id}`, async () => {
        const party = await read(name);
        return party.svid.id.toString() === id ? party : undefined;
      });
    const entries = [];
    for (const name of ['stored-1', 'stored-2']) {
      entries.push(await server.createEntry(server.id(`/${name}`), agent.id, [stored(name)], { storeSvid: true }));
    }
    const not = await server.createEntry(server.id('/not-stored'), agent.id, [stored('not-stored')]);
    const [one, two] = [await has('stored-1', server.id('/stored-1')), await has('stored-2', server.id('/stored-2'))];
    await handshake(one, two);
    ensure(!existsSync(join(directory, 'not-stored')), 'what is not to be stored is not');

    const update = async (id: string, spiffeId: string, name: string) => {
      const entry = {
        id,
        spiffeId: wireId(spiffeId),
        parentId: wireId(agent.id),
        selectors: [wireSelector(stored(name))],
        storeSvid: true,
      };
      const { results } = await server.api.entry.batchUpdateEntry({ entries: [entry] }, { deadline: 10 });
      ensure(results[0]?.status?.code === 0, `the update is taken: ${results[0]?.status?.message}`);
    };
    await update(entries[0]?.id ?? '', server.id('/updated'), 'moved');
    await update(not.id, server.id('/now-stored'), 'now-stored');
    await has('moved', server.id('/updated'));
    await has('now-stored', server.id('/now-stored'));
    await eventually('the former place is empty', async () => !existsSync(join(directory, 'stored-1')) || undefined);

    for (const { id } of [...entries, not]) await server.deleteEntry(id);
    await eventually(
      'all are gone',
      async () => ['moved', 'stored-2', 'now-stored'].every((name) => !existsSync(join(directory, name))) || undefined,
    );
  },
};
