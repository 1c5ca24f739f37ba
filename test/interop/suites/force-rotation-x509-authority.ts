import { ensure } from '../case.ts';
import { eventually, fetchX509, hasX509 } from '../spire/checks.ts';
import { wireId } from '../spire/server-unit.ts';
import { steadily } from '../spire/steadily.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const call = { deadline: 10 };

/**
 * The X.509 half of SPIRE's `force-rotation` suites on one server: prepare, activate, taint, and every SVID that the old
 * authority signed is replaced, the agent's own too; revoke, and its root is gone. Two workloads never fail to meet.
 */
export const forceRotationX509Authority: Suite = {
  name: 'force-rotation-x509-authority',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server);
    const ids = [server.id('/here'), server.id('/there')] as const;
    for (const id of ids) await server.createEntry(id, agent.id, [self]);
    for (const id of ids) await hasX509(agent, id);
    const { authority, bundle } = server.api;
    const roots = async () => (await bundle.getBundle({}, call)).x509Authorities;
    const first = (await authority.getX509AuthorityState({}, call)).active?.authorityId ?? '';
    const agentSerial = async () =>
      (await server.api.agent.getAgent({ id: wireId(agent.id) }, call)).x509svidSerialNumber;
    const serialBefore = await agentSerial();

    await steadily(agent, ids, async () => {
      const next = (await authority.prepareX509Authority({}, call)).preparedAuthority?.authorityId ?? '';
      ensure((await roots()).length === 2, 'the prepared root is in the bundle');
      await eventually('the prepared root reaches the workloads', async () => {
        const { context } = await fetchX509(agent, ids[0]);
        return context.bundles.get(server.trustDomain)?.x509Authorities.length === 2 ? true : undefined;
      });
      await authority.activateX509Authority({ authorityId: next }, call);
      const state = await authority.getX509AuthorityState({}, call);
      ensure(
        state.active?.authorityId === next && state.old?.authorityId === first,
        'active and old have changed places',
      );
      await authority.taintX509Authority({ authorityId: first }, call);
      ensure((await roots()).filter(({ tainted }) => tainted).length === 1, 'one root is marked in the bundle');
      for (const id of ids) {
        await eventually(
          `${id} is signed by the new authority`,
          async () => {
            const { svid } = await fetchX509(agent, id);
            return svid.leaf.authorityKeyId === next ? true : undefined;
          },
          60,
        );
      }
      await eventually(
        "the agent's own SVID is replaced",
        async () => ((await agentSerial()) !== serialBefore ? true : undefined),
        60,
      );
      await authority.revokeX509Authority({ authorityId: first }, call);
      ensure((await roots()).length === 1, 'the old root is gone from the bundle');
      await eventually('the old root is gone from the workloads', async () => {
        const { context } = await fetchX509(agent, ids[0]);
        return context.bundles.get(server.trustDomain)?.x509Authorities.length === 1 ? true : undefined;
      });
      await server.createEntry(server.id('/later'), agent.id, [self]);
      await hasX509(agent, server.id('/later'));
    });
  },
};
