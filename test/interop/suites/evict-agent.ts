import { ensure } from '../case.ts';
import { eventually, hasX509 } from '../spire/checks.ts';
import { outcome } from '../spire/outcome.ts';
import { wireId } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** SPIRE's `evict-agent`: a banned agent ends and cannot come back; evicted, it may attest anew. */
export const evictAgent: Suite = {
  name: 'evict-agent',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server);
    await server.createEntry(server.id('/workload'), agent.id, [self]);
    await hasX509(agent, server.id('/workload'));

    await server.api.agent.banAgent({ id: wireId(agent.id) }, { deadline: 10 });
    await eventually('the banned agent ends', async () => (agent.process.running ? undefined : true));
    const shown = await server.api.agent.getAgent({ id: wireId(agent.id) }, { deadline: 10 });
    ensure(shown.banned, 'the server says that the agent is banned');

    const again = await agent.launch();
    await eventually('the banned agent is refused', async () => /banned/.test(again.output) || undefined);
    const asked = await outcome(agent.workload.fetchX509Context({ timeout: 2 }));
    ensure(asked !== 'OK', 'a banned agent serves nobody');
    await again.stop('SIGKILL');

    await server.api.agent.deleteAgent({ id: wireId(agent.id) }, { deadline: 10 });
    await agent.start();
    await hasX509(agent, server.id('/workload'));
    const after = await server.api.agent.getAgent({ id: wireId(agent.id) }, { deadline: 10 });
    ensure(!after.banned, 'the agent is no longer banned');
    await agent.restart();
    await hasX509(agent, server.id('/workload'));
  },
};
