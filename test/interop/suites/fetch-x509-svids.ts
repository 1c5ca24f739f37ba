import { ensure } from '../case.ts';
import { eventually } from '../spire/checks.ts';
import { fetchAs } from '../spire/fetch-as.ts';
import { handshake } from '../spire/handshake.ts';
import type { Suite } from '../spire/suite.ts';

const COUNT = 10;

/** SPIRE's `fetch-x509-svids`: ten identities for each of two users, each user sees its own, whatever the cache holds. */
export const fetchX509Svids: Suite = {
  name: 'fetch-x509-svids',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, { settings: { x509_svid_cache_max_size: 8 } });
    for (const uid of [1001, 1002]) {
      for (let index = 0; index < COUNT; index += 1) {
        await server.createEntry(server.id(`/${uid}/${index}`), agent.id, [`unix:uid:${uid}`]);
      }
    }
    for (const uid of [1001, 1002, 1001]) {
      const context = await eventually(`user ${uid} has all identities`, async () => {
        const found = await fetchAs(uid, agent);
        return found.svids.length === COUNT ? found : undefined;
      });
      ensure(
        context.svids.every(({ id }) => id.path.startsWith(`/${uid}/`)),
        `user ${uid} gets nobody else's`,
      );
      ensure(new Set(context.svids.map(({ id }) => id.path)).size === COUNT, 'each once');
      const [one, other] = context.svids;
      if (one === undefined || other === undefined) throw new Error('two SVIDs');
      await handshake({ svid: one, bundles: context.bundles }, { svid: other, bundles: context.bundles });
    }
  },
};
