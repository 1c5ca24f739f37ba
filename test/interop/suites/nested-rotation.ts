import { SpiffeId } from '@steeple/client';
import { ensure } from '../case.ts';
import { eventually, fetchJwt, hasX509, now } from '../spire/checks.ts';
import { fetchAs } from '../spire/fetch-as.ts';
import { handshake, type Party } from '../spire/handshake.ts';
import type { Maker } from '../spire/maker.ts';
import { type Level, nest } from '../spire/nested.ts';
import type { Suite } from '../spire/suite.ts';

export const WORKLOAD = 64_001;
/** Seconds; by then the CA of every level has changed. */
const LIMIT = 120;

type Order = readonly [Maker, Maker, Maker];
const ORDERS: readonly Order[] = [
  ['steeple', 'spire', 'steeple'],
  ['spire', 'steeple', 'spire'],
  ['steeple', 'steeple', 'spire'],
  ['spire', 'spire', 'steeple'],
];
// As in SPIRE's suite: only the lowest CA is short. The others are rotated by hand.
const LIVES = ['1h', '1h', '90s'];

/**
 * SPIRE's `nested-rotation`: three servers, one below the other; workloads of all levels meet one another while the CAs of
 * all levels change, and after the lower servers were restarted. Stronger than there: OpenSSL judges every meeting, and the
 * upper CAs change too.
 */
export const nestedRotation: readonly Suite[] = ORDERS.map((order) => ({
  name: `nested-rotation ${order.join(' over ')}`,
  pairings: [{ server: order[0], agent: order[2] }],
  run: async (site) => {
    const levels = await nest(site, order, (level) => ({ ca_ttl: LIVES[level] ?? '1h', default_x509_svid_ttl: '15s' }));
    for (const [index, { server, agent }] of levels.entries()) {
      await server.createEntry(server.id(`/workload-${index}`), agent.id, [`unix:uid:${WORKLOAD}`]);
    }
    const first = await eventually('all levels meet', () => meet(levels), 60);
    const depth = first.map(({ svid }) => svid.chain.length).join();
    ensure(depth === '1,2,3', `each level adds an intermediate: ${depth}`);

    const issuers = levels.map(() => new Set<string | undefined>());
    const look = async () => {
      for (const [index, { svid }] of (await meet(levels)).entries()) issuers[index]?.add(svid.leaf.authorityKeyId);
      await new Promise((done) => setTimeout(done, 500));
    };
    await look();
    const byHand = rotateUpper(levels);
    const changed = () => issuers.every(({ size }) => size >= 2);
    for (const end = now() + LIMIT; now() < end && !changed(); ) await Promise.race([look(), failureOf(byHand)]);
    await byHand;
    ensure(changed(), `the CA of every level changes within ${LIMIT} s: ${issuers.map(({ size }) => size)}`);
    await tokensCount(levels);

    for (const { server } of levels.slice(1)) await server.restart();
    for (const end = now() + 10; now() < end; ) await look();
  },
}));

const failureOf = (work: Promise<unknown>): Promise<never> => work.then(() => new Promise<never>(() => undefined));

/** Everybody with everybody. */
export async function meet(levels: readonly Level[]): Promise<Party[]> {
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
}

/** The next CA of each upper level, from the top, once everybody below knows its root. */
async function rotateUpper(levels: readonly Level[]): Promise<void> {
  for (const { server } of levels.slice(0, -1)) {
    const { preparedAuthority } = await server.api.authority.prepareX509Authority({}, { deadline: 20 });
    const roots = async (level: Level) =>
      (await level.server.api.bundle.getBundle({}, { deadline: 10 })).x509Authorities;
    const [top] = levels;
    if (top === undefined) throw new Error('no level');
    const expected = (await roots(top)).length;
    for (const level of levels) {
      await eventually(
        'the roots go down',
        async () => ((await roots(level)).length === expected ? true : undefined),
        30,
      );
    }
    const authorityId = preparedAuthority?.authorityId ?? '';
    await server.api.authority.activateX509Authority({ authorityId }, { deadline: 20 });
  }
}

/** A token of the lowest level is good at every level. */
async function tokensCount(levels: readonly Level[]): Promise<void> {
  const lowest = levels.at(-1);
  if (lowest === undefined) throw new Error('no level');
  const { server, agent } = lowest;
  const id = SpiffeId.parse(server.id('/token'));
  await server.createEntry(id.toString(), agent.id, [`unix:uid:${process.getuid?.()}`]);
  await hasX509(agent, id.toString());
  const token = await fetchJwt(agent, id);
  for (const level of levels) {
    const judged = async () => (await level.agent.workload.validateJwtSvid(token, 'somebody', { timeout: 10 })).id;
    await eventually('the token counts at every level', judged);
  }
}
