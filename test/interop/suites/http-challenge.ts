import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import { ensure, Skip } from '../case.ts';
import { eventually, hasX509 } from '../spire/checks.ts';
import { wireId } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';
import type { Block } from '../spire/write-hcl.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** Our server does not ask itself unless told to; SPIRE's has no such rule. */
async function ownNetworks(name: string): Promise<Block> {
  const addresses = await lookup(name, { all: true }).catch(() => []);
  if (addresses.length === 0) throw new Skip(`the host name ${name} has no address`);
  return { allowed_networks: addresses.map(({ address, family }) => `${address}/${family === 6 ? 128 : 32}`) };
}

/** Both halves of `http_challenge` against each other's, under the name of this machine. */
export const httpChallenge: Suite = {
  name: 'http-challenge',
  run: async (site, pairing) => {
    const name = hostname();
    const ours = pairing.server === 'steeple' ? await ownNetworks(name) : {};
    const server = await site.server(pairing.server, {
      plugins: { NodeAttestor: { http_challenge: { allowed_dns_patterns: [`^${name}$`], ...ours } } },
    });
    const settings = { hostname: name, agentname: 'agent-1', port: await freePort() };
    const plugins = { NodeAttestor: { http_challenge: settings } };
    const agent = await site.agent(pairing.agent, server, { plugins });
    const id = server.id(`/spire/agent/http_challenge/${name}`);
    ensure((await server.agentIds()).join() === id, `the only agent is ${id}, not ${await server.agentIds()}`);
    const known = await server.api.agent.getAgent({ id: wireId(id) }, { deadline: 10 });
    ensure(
      known.selectors.some(({ value }) => value === `hostname:${name}`),
      'the host name is a selector',
    );
    ensure(!known.canReattest, 'a host is trusted on first use');
    await server.createEntry(server.id('/workload'), id, [self]);
    await hasX509(agent, server.id('/workload'));
    await agent.process.stop();

    // Nobody else on this machine becomes the agent, until it is evicted.
    const late = await site.idleAgent(pairing.agent, server, { plugins });
    await late.launch();
    await late.process.line(/attestation data has already been used to attest an agent/);
    await late.process.stop();
    await server.api.agent.deleteAgent({ id: wireId(id) }, { deadline: 10 });
    await late.start();
    await late.process.stop();

    // Another name, and nobody behind the port.
    await server.api.agent.deleteAgent({ id: wireId(id) }, { deadline: 10 });
    for (const [wrong, why] of [
      [{ hostname: 'other.example.org' }, /the requested hostname is not allowed to connect/],
      [{ advertised_port: await freePort() }, /challenge verification failed/],
    ] as const) {
      const liar = await site.idleAgent(pairing.agent, server, {
        plugins: { NodeAttestor: { http_challenge: { ...settings, ...wrong } } },
      });
      await liar.launch();
      await liar.process.line(why);
      await liar.process.stop();
    }
    ensure((await server.agentIds()).length === 0, 'none of them was attested');
  },
};

/** At a port that only root can open a host is trusted again: evicted, its agent comes back by itself. */
export const httpChallengeAgain: Suite = {
  name: 'http-challenge again',
  run: async (site, pairing) => {
    if (process.getuid?.() !== 0) throw new Skip('needs root to listen on a port below 1024');
    const name = hostname();
    const port = await freeRootPort();
    const ours = pairing.server === 'steeple' ? await ownNetworks(name) : {};
    const server = await site.server(pairing.server, {
      plugins: { NodeAttestor: { http_challenge: { required_port: port, tofu: false, ...ours } } },
    });
    const plugins = { NodeAttestor: { http_challenge: { hostname: name, port } } };
    const agent = await site.agent(pairing.agent, server, { plugins });
    const id = server.id(`/spire/agent/http_challenge/${name}`);
    const attested = async () => (await server.api.agent.getAgent({ id: wireId(id) }, { deadline: 10 })).canReattest;
    ensure(await attested(), 'it may attest again');
    await server.api.agent.deleteAgent({ id: wireId(id) }, { deadline: 10 });
    await eventually('the agent is back', async () => ((await server.agentIds()).join() === id ? true : undefined), 30);
    await server.createEntry(server.id('/workload'), id, [self]);
    await hasX509(agent, server.id('/workload'));
  },
};

async function freeRootPort(): Promise<number> {
  for (let port = 1023; port > 900; port--) {
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createServer().once('error', () => resolve(false));
      probe.listen(port, () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Skip('no port below 1024 is free');
}
