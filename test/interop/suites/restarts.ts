import { rm } from 'node:fs/promises';
import { ensure } from '../case.ts';
import { eventually, fetchX509, hasX509 } from '../spire/checks.ts';
import { wireId } from '../spire/server-unit.ts';
import { steadily } from '../spire/steadily.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** Of SPIRE's `ghostunnel-federation`: servers stop and come back, killed too, and workloads go on with what they hold. */
export const serverRestarts: Suite = {
  name: 'server-restarts',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server);
    const ids = [server.id('/here'), server.id('/there')] as const;
    for (const id of ids) await server.createEntry(id, agent.id, [self]);
    for (const id of ids) await hasX509(agent, id);
    await steadily(agent, ids, async () => {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        await server.process.stop(signal);
        await new Promise((done) => setTimeout(done, 2000));
        await server.start();
        const path = `/after-${signal.toLowerCase()}`;
        await server.createEntry(server.id(path), agent.id, [self]);
        await hasX509(agent, server.id(path), 40);
      }
    });
    ensure((await server.agentIds()).join() === agent.id, 'the agent is known as before');
  },
};

/** Agents stop and come back, killed too: with the SVID they had, without attesting anew; or with nothing, and anew. */
export const agentRestarts: Suite = {
  name: 'agent-restarts',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const token = await site.agent(pairing.agent, server, { joinToken: await server.joinToken() });
    const agent = await site.agent(pairing.agent, server);
    const serial = async (id: string) =>
      (await server.api.agent.getAgent({ id: wireId(id) }, { deadline: 10 })).x509svidSerialNumber;
    for (const each of [token, agent]) {
      await server.createEntry(server.id('/workload'), each.id, [self]);
      await hasX509(each, server.id('/workload'));
      const before = await serial(each.id);
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        await each.restart(signal);
        await hasX509(each, server.id('/workload'));
      }
      ensure((await serial(each.id)) === before, 'a restart is no new attestation');
    }
    await agent.process.stop();
    await rm(agent.dataDir, { recursive: true });
    const before = await serial(agent.id);
    await agent.start();
    await hasX509(agent, server.id('/workload'));
    ensure((await serial(agent.id)) !== before, 'without its data the agent attests anew');
    ensure((await server.agentIds()).length === 2, 'as the one it was');

    await token.process.stop();
    await rm(token.dataDir, { recursive: true });
    await token.launch();
    await token.process.line(/join token does not exist or has already been used/);
  },
};

/** Agents renew their own SVID: those with a token by RenewAgent, the others by attesting again; nobody notices. */
export const agentRotation: Suite = {
  name: 'agent-rotation',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server, { settings: { agent_ttl: '12s' } });
    const token = await site.agent(pairing.agent, server, { joinToken: await server.joinToken() });
    const agent = await site.agent(pairing.agent, server);
    for (const each of [token, agent]) await server.createEntry(server.id('/workload'), each.id, [self]);
    const seen = new Map([token, agent].map(({ id }) => [id, new Set<string>()]));
    await eventually(
      'both have had three SVIDs',
      async () => {
        for (const each of [token, agent]) {
          await fetchX509(each, server.id('/workload')).catch((error: unknown) => {
            if (!/no identity issued/.test(String(error))) throw error;
          });
          const shown = await server.api.agent.getAgent({ id: wireId(each.id) }, { deadline: 10 });
          seen.get(each.id)?.add(shown.x509svidSerialNumber);
        }
        return [...seen.values()].every(({ size }) => size >= 3) ? true : undefined;
      },
      60,
    );
    for (const each of [token, agent]) await hasX509(each, server.id('/workload'));

    // An agent that slept too long comes back if its proof is good more than once.
    await agent.process.stop();
    await token.process.stop();
    await new Promise((done) => setTimeout(done, 14_000));
    await agent.start();
    await hasX509(agent, server.id('/workload'));
    await token.launch();
    await token.process.line(/join token|expired/i);
    await eventually('the other is not served', async () =>
      token.workload.fetchX509Context({ timeout: 2 }).then(
        () => undefined,
        () => true,
      ),
    );
  },
};
