import { SpiffeId } from '@steeple/client';
import { ensure } from '../case.ts';
import { fetchJwt, hasX509 } from '../spire/checks.ts';
import { handshake } from '../spire/handshake.ts';
import { EACH_SERVER, type Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** Agents of both makers at one server at the same time: their workloads meet, and each agent believes the other's tokens. */
export const mixedAgents: Suite = {
  name: 'mixed-agents',
  pairings: EACH_SERVER,
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const ours = await site.agent('steeple', server);
    const theirs = await site.agent('spire', server);
    const [here, there] = [SpiffeId.parse(server.id('/ours')), SpiffeId.parse(server.id('/theirs'))];
    await server.createEntry(here.toString(), ours.id, [self], { dnsNames: ['ours.domain.test'], hint: 'internal' });
    await server.createEntry(there.toString(), theirs.id, [self], {
      dnsNames: ['theirs.domain.test'],
      hint: 'internal',
    });
    const [a, b] = [await hasX509(ours, here.toString()), await hasX509(theirs, there.toString())];
    ensure(a.svid.hint === 'internal' && b.svid.hint === 'internal', 'hints arrive at both');
    const [one, other] = [
      { ...a, bundles: a.context.bundles },
      { ...b, bundles: b.context.bundles },
    ];
    await handshake(one, other);
    await handshake(other, one);
    for (const [issuer, id, judge] of [
      [ours, here, theirs],
      [theirs, there, ours],
    ] as const) {
      const token = await fetchJwt(issuer, id);
      const { claims } = await judge.workload.validateJwtSvid(token, 'somebody', { timeout: 10 });
      ensure(claims['sub'] === id.toString(), 'the other agent reads the same claims');
    }
  },
};
