import { ensure } from '../case.ts';
import { eventually, fetchX509, hasX509 } from '../spire/checks.ts';
import { handshake } from '../spire/handshake.ts';
import { expectOutcome } from '../spire/outcome.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/**
 * SPIRE's `upgrade`, as a replacement: on one node the agent of one maker gives way to that of the other and comes back, on
 * the same socket and with the same node certificate. What workloads hold stays good, and the server knows one agent.
 */
export const upgrade: Suite = {
  name: 'upgrade',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const old = await site.agent(pairing.agent, server);
    const id = server.id('/workload');
    await server.createEntry(id, old.id, [self]);
    const before = await hasX509(old, id);
    await old.process.stop();

    const other = pairing.agent === 'spire' ? 'steeple' : 'spire';
    const { node } = old;
    if (node === undefined) throw new Error('the agent has a node certificate');
    const next = await site.agent(other, server, { node, settings: { socket_path: old.socket } });
    const after = await eventually('the same socket serves the same identity', () => fetchX509(old, id));
    ensure(after.svid.leaf.serialHex !== before.svid.leaf.serialHex, 'with a certificate of its own');
    await handshake({ ...before, bundles: before.context.bundles }, { ...after, bundles: after.context.bundles });
    ensure((await server.agentIds()).join() === old.id, 'the server knows one agent');
    await server.createEntry(server.id('/later'), old.id, [self]);
    await hasX509(old, server.id('/later'));

    await next.process.stop();
    // The SVID that the first agent kept was superseded: it attests again, at the latest with the next start.
    await old.start().catch(() => old.start());
    await hasX509(old, id);
    await hasX509(old, server.id('/later'));
    await expectOutcome('the list', server.api.agent.countAgents({}, { deadline: 10 }), 'OK');
    ensure((await server.agentIds()).join() === old.id, 'the server still knows one agent');
  },
};
