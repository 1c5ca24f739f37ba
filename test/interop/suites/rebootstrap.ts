import { mkdir, rm } from 'node:fs/promises';
import { ensure } from '../case.ts';
import { hasX509, losesX509, serials } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** The server was built anew and has another root: an agent in `rebootstrap_mode` auto starts from its bootstrap bundle. */
export const rebootstrap: Suite = {
  name: 'rebootstrap',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, {
      settings: { rebootstrap_mode: 'auto', rebootstrap_delay: '2s' },
    });
    await server.createEntry(server.id('/before'), agent.id, [self]);
    const { context } = await hasX509(agent, server.id('/before'));
    const old = serials(context.bundles.get(server.trustDomain));

    await server.process.stop();
    await rm(server.dir, { recursive: true });
    await mkdir(server.dir, { recursive: true });
    await server.writeConfig();
    await server.start();
    await agent.writeConfig();
    await server.createEntry(server.id('/after'), agent.id, [self]);
    // Whoever supervises an agent starts it again when it ends.
    const over = new AbortController();
    const supervised = (async () => {
      while (!over.signal.aborted) {
        if (!agent.process.running) await agent.start().catch(() => undefined);
        await new Promise((done) => setTimeout(done, 300));
      }
    })();
    try {
      const after = await hasX509(agent, server.id('/after'), 90);
      const found = serials(after.context.bundles.get(server.trustDomain));
      ensure(!found.some((serial) => old.includes(serial)), 'nothing is left of the old root');
      await losesX509(agent, server.id('/before'));
    } finally {
      over.abort();
      await supervised;
    }
  },
};
