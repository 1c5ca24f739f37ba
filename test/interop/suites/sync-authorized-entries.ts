import { ensure } from '../case.ts';
import { eventually, hasX509 } from '../spire/checks.ts';
import { wireId, wireSelector } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const COUNT = 600;

/** SPIRE's `sync-authorized-entries`: more than 500 entries, so that they come in pages and changes only follow. */
export const syncAuthorizedEntries: Suite = {
  name: 'sync-authorized-entries',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server);
    const parentId = wireId(agent.id);
    const many = Array.from({ length: COUNT }, (_, index) => ({
      spiffeId: wireId(server.id(`/many/${index}`)),
      parentId,
      selectors: [wireSelector(`unix:uid:${70_000 + index}`)],
    }));
    for (let from = 0; from < COUNT; from += 100) {
      const { results } = await server.api.entry.batchCreateEntry(
        { entries: many.slice(from, from + 100) },
        { deadline: 60 },
      );
      ensure(
        results.every(({ status }) => status?.code === 0),
        'every entry is created',
      );
    }
    const mine = await server.createEntry(server.id('/mine'), agent.id, [self]);
    await hasX509(agent, server.id('/mine'), 40);

    // One change among many.
    const { id: mineId, parentId: under, selectors } = mine;
    const moved = { id: mineId, spiffeId: wireId(server.id('/moved')), selectors, ...(under && { parentId: under }) };
    await server.api.entry.batchUpdateEntry({ entries: [moved] }, { deadline: 10 });
    await hasX509(agent, server.id('/moved'), 30);
    await server.deleteEntry(mine.id);
    await eventually('nothing is left', async () =>
      agent.workload.fetchX509Context({ timeout: 10 }).then(
        () => undefined,
        (error: Error) => /no identity issued/.test(error.message) || undefined,
      ),
    );
    await agent.restart();
    const { id } = await server.createEntry(server.id('/later'), agent.id, [self]);
    await hasX509(agent, server.id('/later'), 40);
    await server.deleteEntry(id);
  },
};
