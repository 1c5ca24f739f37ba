import { ensure } from '../case.ts';
import type { AgentUnit } from '../spire/agent-unit.ts';
import { eventually, fetchX509, hasX509, losesX509 } from '../spire/checks.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** SPIRE's `entries`: an alias of several nodes, the name of a join token, updates and deletions reach all agents. */
export const entries: Suite = {
  name: 'entries',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const inCluster = async () => ({ node: await server.nodes.issue(['x509pop://domain.test/cluster/test']) });
    const first = await site.agent(pairing.agent, server, await inCluster());
    const second = await site.agent(pairing.agent, server, await inCluster());
    const joinToken = await server.joinToken(server.id('/cluster/test'));
    const third = await site.agent(pairing.agent, server, { joinToken });
    await server.createEntry(server.id('/cluster/test'), server.id('/spire/server'), ['x509pop:san:cluster:test']);
    await propagates(server, [first, second, third]);
  },
};

export async function propagates(
  server: ServerUnit,
  agents: readonly [AgentUnit, AgentUnit, AgentUnit],
): Promise<void> {
  const [first, second] = agents;
  await server.createEntry(server.id('/first'), first.id, [self], { id: 'entry-1' });
  await server.createEntry(server.id('/second'), second.id, [self]);
  const shared = await server.createEntry(server.id('/shared'), server.id('/cluster/test'), [self], {
    dnsNames: ['old.example.org'],
  });
  await server.createEntry(server.id('/not-ahead'), server.id('/cluster/test'), [self], {
    additionalAttributes: { disableX509SvidPrefetch: true },
  });
  await server.createEntry(server.id('/other-user'), server.id('/cluster/test'), ['unix:uid:64999']);

  await hasX509(first, server.id('/first'));
  await hasX509(second, server.id('/second'));
  for (const agent of agents) {
    const { context } = await hasX509(agent, server.id('/shared'));
    ensure(context.bundles.get(server.trustDomain) !== undefined, 'the bundle comes with the SVID');
    await hasX509(agent, server.id('/not-ahead'));
  }
  for (const [agent, foreign] of [
    [first, '/second'],
    [second, '/first'],
    [first, '/other-user'],
  ] as const) {
    const { svids } = await agent.workload.fetchX509Context({ timeout: 10 });
    ensure(!svids.some(({ id }) => id.path === foreign), `${agent.id} gives nobody ${foreign}`);
  }

  const before = await fetchX509(first, server.id('/shared'));
  const changed = { ...shared, dnsNames: ['new.example.org', 'second.example.org'] };
  const updated = await server.api.entry.batchUpdateEntry({ entries: [changed] }, { deadline: 10 });
  ensure(updated.results[0]?.status?.code === 0, `the update is taken: ${updated.results[0]?.status?.message}`);
  for (const agent of agents) {
    const { svid } = await eventually('the new names reach the workload', async () => {
      const found = await fetchX509(agent, server.id('/shared'));
      return found.svid.leaf.dnsSans.includes('new.example.org') ? found : undefined;
    });
    ensure(svid.leaf.dnsSans.join() === 'new.example.org,second.example.org', `names: ${svid.leaf.dnsSans}`);
    ensure(svid.leaf.serialHex !== before.svid.leaf.serialHex, 'other names need another certificate');
  }

  await server.deleteEntry(shared.id);
  for (const agent of agents) await losesX509(agent, server.id('/shared'));
  await hasX509(first, server.id('/first'));
}
