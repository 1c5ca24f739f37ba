import { ensure } from '../case.ts';
import type { AgentUnit } from '../spire/agent-unit.ts';
import { fetchX509, hasX509 } from '../spire/checks.ts';
import { handshake } from '../spire/handshake.ts';
import type { Maker } from '../spire/maker.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import { wireId } from '../spire/server-unit.ts';
import type { Site } from '../spire/site.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/**
 * An agent of one maker goes on in the data directory of the other's, and back: same SVID, same key, no attestation, which
 * an agent that came with a join token could not repeat. Killed agents too.
 */
export const agentTakeover: Suite = {
  name: 'agent-takeover',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const byToken = await site.agent(pairing.agent, server, { joinToken: await server.joinToken() });
    const byCertificate = await site.agent(pairing.agent, server);
    for (const agent of [byToken, byCertificate]) await takeOver(site, server, agent);
    ensure((await server.agentIds()).length === 2, 'the server knows two agents still');
  },
};

async function takeOver(site: Site, server: ServerUnit, first: AgentUnit): Promise<void> {
  const id = server.id('/workload');
  await server.createEntry(id, first.id, [self]);
  const before = await hasX509(first, id);
  const serial = async () =>
    (await server.api.agent.getAgent({ id: wireId(first.id) }, { deadline: 10 })).x509svidSerialNumber;
  const known = await serial();
  await first.process.stop();

  const other: Maker = first.maker === 'spire' ? 'steeple' : 'spire';
  const second = await site.agent(other, server, { ...first.proof, dir: first.dir });
  const after = await hasX509(second, id);
  await handshake({ ...before, bundles: before.context.bundles }, { ...after, bundles: after.context.bundles });
  ensure((await serial()) === known, 'the SVID of the agent is the one that was there');
  await second.process.stop('SIGKILL');

  await first.start();
  await fetchX509(first, id).catch(() => hasX509(first, id));
  ensure((await serial()) === known, 'and is so when the first is back');
}
