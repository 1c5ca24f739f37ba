import { ensure } from '../case.ts';
import { eventually, now } from '../spire/checks.ts';
import { fetchAs } from '../spire/fetch-as.ts';
import { handshake } from '../spire/handshake.ts';
import type { Maker } from '../spire/maker.ts';
import { nest } from '../spire/nested.ts';
import type { Suite } from '../spire/suite.ts';

const WORKLOAD = 64_001;
const SECONDS = 75;

type Order = readonly [Maker, Maker, Maker];
const ORDERS: readonly Order[] = [
  ['steeple', 'spire', 'steeple'],
  ['spire', 'steeple', 'spire'],
  ['steeple', 'steeple', 'spire'],
  ['spire', 'spire', 'steeple'],
];

/**
 * SPIRE's `nested-rotation`: three servers, one below the other, with short lives; workloads of all three levels meet one
 * another throughout, and after the lower servers were restarted.
 */
export const nestedRotation: readonly Suite[] = ORDERS.map((order) => ({
  name: `nested-rotation ${order.join(' over ')}`,
  pairings: [{ server: order[0], agent: order[2] }],
  run: async (site) => {
    const settings = { ca_ttl: '90s', default_x509_svid_ttl: '20s' };
    const levels = await nest(site, order, settings);
    for (const [index, { server, agent }] of levels.entries()) {
      await server.createEntry(server.id(`/workload-${index}`), agent.id, [`unix:uid:${WORKLOAD}`]);
    }
    const meet = async () => {
      const parties = await Promise.all(
        levels.map(async ({ agent }, index) => {
          const { svids, bundles } = await fetchAs(WORKLOAD, agent);
          const svid = svids.find(({ id }) => id.path === `/workload-${index}`);
          if (svid === undefined) throw new Error(`no SVID at level ${index}`);
          return { svid, bundles };
        }),
      );
      for (const one of parties) {
        for (const other of parties) if (one !== other) await handshake(one, other);
      }
      return parties;
    };
    const first = await eventually('all levels meet', meet, 60);
    ensure(
      first[2]?.svid.chain.length === 3,
      `the lowest leaf comes with two intermediates: ${first[2]?.svid.chain.length}`,
    );
    const issuers = levels.map(() => new Set<string | undefined>());
    const look = async () => {
      for (const [index, { svid }] of (await meet()).entries()) issuers[index]?.add(svid.leaf.authorityKeyId);
      await new Promise((done) => setTimeout(done, 1000));
    };
    for (const end = now() + SECONDS; now() < end; ) await look();
    for (const [index, seen] of issuers.entries())
      ensure(seen.size >= 2, `the CA of level ${index} rotates: ${seen.size}`);

    for (const { server } of levels.slice(1)) await server.restart();
    for (const end = now() + 10; now() < end; ) await look();
  },
}));
