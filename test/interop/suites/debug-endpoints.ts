import { ensure } from '../case.ts';
import { hasX509 } from '../spire/checks.ts';
import { expectOutcome } from '../spire/outcome.ts';
import { remoteApi } from '../spire/remote.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/** SPIRE's `debug-endpoints`: both sides tell about themselves on their own sockets, the server to nobody over TCP. */
export const debugEndpoints: Suite = {
  name: 'debug-endpoints',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, { admin: true });
    await server.createEntry(server.id('/admin'), agent.id, [self], { admin: true });
    await server.createEntry(server.id('/workload'), agent.id, [self]);
    const { svid: admin } = await hasX509(agent, server.id('/admin'));
    const { svid: workload } = await hasX509(agent, server.id('/workload'));

    const info = await server.api.debug.getInfo({}, { deadline: 10 });
    ensure(
      info.agentsCount === 1 && info.entriesCount === 2,
      `1 agent, 2 entries: ${info.agentsCount}, ${info.entriesCount}`,
    );
    ensure(info.federatedBundlesCount === 1, 'the own bundle counts');
    const ids = info.svidChain.map(({ id }) => `spiffe://${id?.trustDomain}${id?.path}`);
    ensure(ids[0] === server.id('/spire/server'), `the server's own SVID comes first: ${ids}`);
    ensure(ids.length === 2 && ids[1] === server.id(''), `and its root last: ${ids}`);

    const about = await agent.admin.debug.getInfo({}, { deadline: 10 });
    ensure(
      about.svidsCount === 2 && about.cachedX509SvidsCount === 2,
      `2 SVIDs: ${about.svidsCount}, ${about.cachedX509SvidsCount}`,
    );
    ensure(about.lastSyncSuccess > 0n, 'the last contact is known');
    const own = about.svidChain[0]?.id;
    ensure(`spiffe://${own?.trustDomain}${own?.path}` === agent.id, 'the agent shows its own SVID');

    for (const svid of [admin, workload, undefined]) {
      const remote = await remoteApi(site, server, svid);
      await expectOutcome('over TCP', remote.debug.getInfo({}, { deadline: 10 }), /^Unimplemented: /);
    }
  },
};
