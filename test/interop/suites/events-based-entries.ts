import type { Suite } from '../spire/suite.ts';
import { propagates } from './entries.ts';

/** SPIRE's `events-based-entries`: the same with its events-based cache, a setting that ours reads and does not need. */
export const eventsBasedEntries: Suite = {
  name: 'events-based-entries',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server, {
      settings: { experimental: { events_based_cache: true, cache_reload_interval: '1s' } },
    });
    const inCluster = async () => ({ node: await server.nodes.issue(['x509pop://domain.test/cluster/test']) });
    const agents = [
      await site.agent(pairing.agent, server, await inCluster()),
      await site.agent(pairing.agent, server, await inCluster()),
      await site.agent(pairing.agent, server, await inCluster()),
    ] as const;
    await server.createEntry(server.id('/cluster/test'), server.id('/spire/server'), ['x509pop:san:cluster:test']);
    await propagates(server, agents);
  },
};
