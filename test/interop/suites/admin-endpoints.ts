import type { X509Svid } from '@steeple/client';
import { ensure } from '../case.ts';
import { callAll, refused } from '../spire/call-all.ts';
import { hasX509 } from '../spire/checks.ts';
import { attest, remoteApi, tokenProof } from '../spire/remote.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import type { Site } from '../spire/site.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

type Caller = 'stranger' | 'workload' | 'admin' | 'downstream' | 'agent' | 'federated admin' | 'federated workload';

const AGENT =
  /\.(Agent\/(RenewAgent|PostStatus)|Entry\/(GetAuthorizedEntries|SyncAuthorizedEntries)|SVID\/(BatchNew\w+|NewJWTSVID))$/;
const DOWNSTREAM = /\.(Bundle\/Publish\w+Authority|SVID\/NewDownstreamX509CA)$/;
const ANYBODY = /\.(Agent\/AttestAgent|Bundle\/GetBundle)$/;
const LOCAL = /\.(Debug|Logger)\//;

/** SPIRE's table of who may call what over TCP, written down a second time. */
function mayCall(caller: Caller, method: string): boolean {
  if (ANYBODY.test(method)) return true;
  if (AGENT.test(method)) return caller === 'agent';
  if (DOWNSTREAM.test(method)) return caller === 'downstream';
  if (method.endsWith('/GetFederatedBundle') && caller === 'agent') return true;
  return caller === 'admin' || caller === 'federated admin';
}

/**
 * SPIRE's `admin-endpoints`: admin methods over TCP for admin SVIDs, also for one of another trust domain. Stronger than
 * there: every method of every service for seven kinds of callers.
 */
export const adminEndpoints: Suite = {
  name: 'admin-endpoints',
  run: async (site, pairing) => {
    const foreign = await site.server(pairing.server, { trustDomain: 'other.test' });
    const settings = { admin_ids: [foreign.id('/admin')] };
    const server = await site.server(pairing.server, { settings });
    await introduce(server, foreign);
    const agent = await site.agent(pairing.agent, server);
    const kinds = { workload: {}, admin: { admin: true }, downstream: { downstream: true } };
    const svids = new Map<Caller, X509Svid | undefined>([['stranger', undefined]]);
    for (const [kind, more] of Object.entries(kinds)) {
      await server.createEntry(server.id(`/${kind}`), agent.id, [self], more);
      svids.set(kind as Caller, (await hasX509(agent, server.id(`/${kind}`))).svid);
    }
    const foreignAgent = await site.agent(pairing.agent, foreign);
    for (const kind of ['admin', 'workload']) {
      // An admin flag counts at home only; abroad the configured ids do.
      await foreign.createEntry(foreign.id(`/${kind}`), foreignAgent.id, [self], { admin: true });
      svids.set(`federated ${kind}` as Caller, (await hasX509(foreignAgent, foreign.id(`/${kind}`))).svid);
    }
    svids.set('agent', (await attest(await remoteApi(site, server), tokenProof(await server.joinToken()))).svid);
    for (const [caller, svid] of svids) await checkDoors(site, server, caller, svid);
  },
};

async function checkDoors(site: Site, server: ServerUnit, caller: Caller, svid: X509Svid | undefined): Promise<void> {
  const wrong: string[] = [];
  for (const [method, outcome] of await callAll(await remoteApi(site, server, svid))) {
    // Of a foreign trust domain only the configured ids come as far as the doors.
    if (caller === 'federated workload') {
      if (!outcome.startsWith('Unavailable: ')) wrong.push(`${method}: ${outcome}`);
      continue;
    }
    const right = LOCAL.test(method)
      ? outcome.startsWith('Unimplemented: ')
      : refused(method, outcome) !== mayCall(caller, method);
    if (!right) wrong.push(`${method}: ${outcome}`);
  }
  const some = wrong.slice(0, 3).join('\n  ');
  ensure(wrong.length === 0, `the doors for the ${caller} are as SPIRE's, but ${wrong.length} are not:\n  ${some}`);
}

async function introduce(server: ServerUnit, foreign: ServerUnit): Promise<void> {
  const bundle = await foreign.api.bundle.getBundle({}, { deadline: 10 });
  const { results } = await server.api.bundle.batchSetFederatedBundle({ bundle: [bundle] }, { deadline: 10 });
  ensure(results[0]?.status?.code === 0, `the foreign bundle is stored: ${results[0]?.status?.message}`);
}
