import { parseCertificate } from '@steeple/client';
import { eventually } from '../spire/checks.ts';
import type { Maker } from '../spire/maker.ts';
import { type Level, nest } from '../spire/nested.ts';
import type { Suite } from '../spire/suite.ts';
import { meet, WORKLOAD } from './nested-rotation.ts';

type Order = readonly [Maker, Maker, Maker];
const ORDERS: readonly Order[] = [
  ['steeple', 'spire', 'steeple'],
  ['spire', 'steeple', 'spire'],
  ['steeple', 'steeple', 'spire'],
  ['spire', 'spire', 'steeple'],
];
const call = { deadline: 20 };
/** Seconds that a mark may take from the top to the last workload: each level asks every five. */
const LIMIT = 90;

/**
 * SPIRE's `force-rotation-self-signed`: the root of three nested servers is compromised. Every level leaves it, every
 * workload gets a certificate under the new one, the root is revoked, and all the while everybody believes everybody.
 */
export const forceRotationNested: readonly Suite[] = ORDERS.map((order) => ({
  name: `force-rotation-nested ${order.join(' over ')}`,
  pairings: [{ server: order[0], agent: order[2] }],
  run: async (site) => {
    const levels = await nest(site, order, () => ({ ca_ttl: '1h', default_x509_svid_ttl: '10m' }));
    for (const [index, { server, agent }] of levels.entries()) {
      await server.createEntry(server.id(`/workload-${index}`), agent.id, [`unix:uid:${WORKLOAD}`]);
    }
    await eventually('all levels meet', () => meet(levels), 60);
    const [top] = levels;
    if (top === undefined) throw new Error('no level');
    const { authority } = top.server.api;
    const old = (await authority.getX509AuthorityState({}, call)).active?.authorityId ?? '';

    const over = new AbortController();
    const meeting = (async () => {
      while (!over.signal.aborted) {
        await meet(levels);
        await new Promise((done) => setTimeout(done, 300));
      }
    })();
    const failure = meeting.then(() => new Promise<never>(() => undefined));
    try {
      await Promise.race([leave(levels, top, old), failure]);
    } finally {
      over.abort();
    }
    await meeting;
  },
}));

async function leave(levels: readonly Level[], top: Level, old: string): Promise<void> {
  const { authority } = top.server.api;
  const next = (await authority.prepareX509Authority({}, call)).preparedAuthority?.authorityId ?? '';
  await everywhere(levels, 'the new root is there', (roots) => roots.includes(next));
  const isKnown = async () => {
    const parties = await meet(levels);
    const bundles = parties.map(({ bundles, svid }) => bundles.get(svid.id.trustDomain));
    return bundles.every((bundle) => bundle?.x509Authorities.length === 2) ? true : undefined;
  };
  await eventually('every workload knows the new root', isKnown, LIMIT);
  await authority.activateX509Authority({ authorityId: next }, { deadline: 60 });
  await authority.taintX509Authority({ authorityId: old }, call);
  await everywhere(levels, 'the old root is marked', (roots) => roots.includes(`${old}!`));
  const isLeft = async () => {
    const parties = await meet(levels);
    return parties.every(({ svid }) => svid.chain.at(-1)?.authorityKeyId === next) ? true : undefined;
  };
  await eventually('every workload is under the new root', isLeft, LIMIT);
  await authority.revokeX509Authority({ authorityId: old }, call);
  await everywhere(levels, 'the old root is gone', (roots) => !roots.some((root) => root.startsWith(old)));
  const isAlone = async () => {
    const parties = await meet(levels);
    const counts = parties.map(({ bundles, svid }) => bundles.get(svid.id.trustDomain)?.x509Authorities.length);
    return counts.every((count) => count === 1) ? true : undefined;
  };
  await eventually('one root is left at the workloads', isAlone, LIMIT);
}

/** Of the bundle of every level: subject key ids, those of compromised roots with a mark. */
async function everywhere(levels: readonly Level[], what: string, holds: (roots: string[]) => boolean): Promise<void> {
  for (const [index, { server }] of levels.entries()) {
    const ask = async () => {
      const { x509Authorities } = await server.api.bundle.getBundle({}, call);
      const roots = x509Authorities.map(
        ({ asn1, tainted }) => `${parseCertificate(asn1).subjectKeyId}${tainted ? '!' : ''}`,
      );
      return holds(roots) ? true : undefined;
    };
    await eventually(`${what}, at level ${index}`, ask, LIMIT);
  }
}
