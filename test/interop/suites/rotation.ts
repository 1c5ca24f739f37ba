import { ensure } from '../case.ts';
import { fetchX509, hasX509, now, serials } from '../spire/checks.ts';
import { handshake } from '../spire/handshake.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const SECONDS = 45;

/**
 * SPIRE's `rotation`: a CA of one minute and SVIDs of ten seconds, and what workloads hold is valid at every look. Stronger
 * than there: each look is a mutual handshake between two workloads, judged by OpenSSL, and authority and certificates have
 * to change meanwhile.
 */
export const rotation: Suite = {
  name: 'rotation',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server, { settings: { ca_ttl: '1m', default_x509_svid_ttl: '10s' } });
    const agent = await site.agent(pairing.agent, server);
    const ids = ['/here', '/there'].map((path) => server.id(path)) as [string, string];
    for (const id of ids) await server.createEntry(id, agent.id, [self]);
    await hasX509(agent, ids[0]);
    await hasX509(agent, ids[1]);
    const leaves = new Set<string>();
    const authorities = new Set<string>();
    for (const end = now() + SECONDS; now() < end; ) {
      const [here, there] = [await fetchX509(agent, ids[0]), await fetchX509(agent, ids[1])];
      await handshake({ ...here, bundles: here.context.bundles }, { ...there, bundles: there.context.bundles });
      leaves.add(here.svid.leaf.serialHex);
      for (const serial of serials(here.context.bundles.get(server.trustDomain))) authorities.add(serial);
      await new Promise((done) => setTimeout(done, 500));
    }
    ensure(leaves.size >= SECONDS / 10, `at least ${SECONDS / 10} certificates in ${SECONDS} s, not ${leaves.size}`);
    ensure(authorities.size >= 2, `the authority rotates, ${authorities.size} were seen`);
  },
};
