import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import { ensure } from '../case.ts';
import { eventually } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';
import { EnvoyUnit } from './envoy-unit.ts';
import { BY_PATH, OURS_AND_CONTROL } from './ours-and-control.ts';
import { replaceRoot } from './replace-root.ts';
import { type Answer, Visitor } from './visitor.ts';

/** Through a proxy; the serial is that of the certificate which it showed to the other proxy. */
export async function through(port: number): Promise<Answer & { readonly peer: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  return {
    status: answer.status,
    body: await answer.text(),
    serial: answer.headers.get('x-peer-serial') ?? '',
    peer: answer.headers.get('x-peer') ?? '',
  };
}

/**
 * SPIRE's `envoy-sds-v3`, stronger: two proxies, each with an identity of its own from the same agent, through several
 * certificates, a change of the root, a restart of the agent, and the loss and return of an entry. No request fails, and no secret is rejected.
 */
export const envoys: Suite = {
  name: 'envoy to envoy',
  pairings: OURS_AND_CONTROL,
  run: async (site, pairing) => {
    const [near, far] = [await EnvoyUnit.install(site), await EnvoyUnit.install(site)];
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, { plugins: BY_PATH });
    const [nearId, farId] = [server.id('/near'), server.id('/far')];
    const nearEntry = () => server.createEntry(nearId, agent.id, [`unix:path:${near.path}`], { x509SvidTtl: 10 });
    await server.createEntry(farId, agent.id, [`unix:path:${far.path}`], { x509SvidTtl: 10 });
    const [port, to] = [await freePort(), await freePort()];
    const agentSocket = agent.socket;
    await far.start({
      id: 'far',
      agentSocket,
      serves: { port: to, certificate: 'default', validation: server.id(''), peers: [nearId] },
    });
    // This one is there before its entry is.
    const started = near.start({
      id: 'near',
      agentSocket,
      forwards: { port, to, certificate: nearId, validation: 'ROOTCA', peers: [farId] },
    });
    await sleep(1000);
    const first = await nearEntry();
    await started;
    const { peer } = await eventually('the proxies meet', async () => {
      const answer = await through(port);
      return answer.status === 200 ? answer : undefined;
    });
    ensure(peer === nearId, `the far proxy knows the near one: ${peer}`);

    const visitor = new Visitor(() => through(port));
    await visitor.sees(4, 60);
    const both = async <T>(ask: (unit: EnvoyUnit) => Promise<T>): Promise<T | undefined> => {
      const [one, other] = await Promise.all([near, far].map(ask));
      return one === other ? one : undefined;
    };
    await replaceRoot(server, {
      roots: async () =>
        (await both(async (unit) => (await unit.roots()).get(server.trustDomain.name)?.length ?? 0)) ?? 0,
      signedBy: async () => (await both(async (unit) => (await unit.leaf())?.authorityKeyId)) ?? '',
    });
    await visitor.sees(visitor.serials.size + 1, 30);

    // Without its entry a proxy keeps what it has, and is given a new certificate when the entry is there again.
    await server.deleteEntry(first.id);
    await sleep(1500);
    visitor.check();
    const kept = (await near.leaf())?.serialHex;
    await nearEntry();
    await eventually('the entry is back', async () => (await near.leaf())?.serialHex !== kept || undefined, 15);
    await visitor.sees(visitor.serials.size + 1, 30);
    await visitor.stop();
    ensure(visitor.visits > 50, `requests all the time: ${visitor.visits}`);

    // How long a proxy waits before it asks again is its own affair, and longer than these certificates live.
    const before = await Promise.all([near, far].map(async (unit) => (await unit.leaf())?.serialHex));
    await agent.restart();
    await eventually(
      'both proxies come back to the agent',
      async () => {
        const now = await Promise.all([near, far].map(async (unit) => (await unit.leaf())?.serialHex));
        return (
          (now.every((serial, index) => serial !== before[index]) && (await through(port)).status === 200) || undefined
        );
      },
      60,
    );
    for (const unit of [near, far]) {
      ensure((await unit.counted('.update_rejected')) === 0, 'no secret was rejected');
    }
  },
};
