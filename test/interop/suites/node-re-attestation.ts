import { ensure } from '../case.ts';
import { eventually, hasX509 } from '../spire/checks.ts';
import { wireId } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** SPIRE's `node-re-attestation`: evicted, an agent with a certificate comes back by itself and one with a token does not. */
export const nodeReAttestation: Suite = {
  name: 'node-re-attestation',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const lasting = await site.agent(pairing.agent, server);
    const single = await site.agent(pairing.agent, server, { joinToken: await server.joinToken() });
    await server.createEntry(server.id('/workload'), lasting.id, [self]);
    await hasX509(lasting, server.id('/workload'));
    const serial = async () =>
      (await server.api.agent.getAgent({ id: wireId(lasting.id) }, { deadline: 10 })).x509svidSerialNumber;
    const before = await serial();

    for (const { id } of [lasting, single]) await server.api.agent.deleteAgent({ id: wireId(id) }, { deadline: 10 });
    await eventually(
      'one agent is back',
      async () => {
        const ids = await server.agentIds();
        return ids.length === 1 && ids[0] === lasting.id && (await serial()) !== before ? true : undefined;
      },
      30,
    );
    // What is new reaches it, so it really is back.
    await server.createEntry(server.id('/later'), lasting.id, [self]);
    await hasX509(lasting, server.id('/later'));

    await single.process.stop();
    await single.launch();
    await lasting.process.stop();
    // SPIRE's agent did not keep the SVID of its re-attestation: it starts with the old one, ends, and starts well then.
    await lasting.start().catch(async (error: unknown) => {
      if (pairing.agent === 'steeple') throw error;
      await lasting.start();
    });
    await hasX509(lasting, server.id('/workload'));
    await eventually(
      'the other is refused',
      async () => /join token|not attested|attest/i.test(single.process.output) || undefined,
    );
    ensure((await server.agentIds()).join() === lasting.id, 'no token agent came back');
  },
};
