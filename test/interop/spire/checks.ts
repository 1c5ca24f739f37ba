// What every suite checks the same way: a workload's documents against the bundle of its trust domain.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type SpiffeId,
  type TrustBundle,
  verifyJwtSvid,
  verifyX509Svid,
  type X509Context,
  type X509Svid,
} from '@steeple/client';
import type { AgentUnit } from './agent-unit.ts';

export const now = (): number => Date.now() / 1000;

/** Asks again until it is so; the last error or `what` is the reason of the failure. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, seconds = 20): Promise<T> {
  const end = now() + seconds;
  let last = 'no';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = 'not yet';
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (now() > end) throw new Error(`${what}: not within ${seconds} s (${last})`);
    await sleep(100);
  }
}

/** The workload's X509-SVID of that identity, verified against the bundle that came with it. */
export async function fetchX509(agent: AgentUnit, id: string): Promise<{ svid: X509Svid; context: X509Context }> {
  const context = await agent.workload.fetchX509Context({ timeout: 10 });
  const svid = context.svids.find((each) => each.id.toString() === id);
  if (svid === undefined) throw new Error(`no X509-SVID of ${id} among ${context.svids.map((each) => each.id).join()}`);
  verifyX509Svid(svid.chain, context.bundles, { now: now(), requireBothPurposes: true });
  return { svid, context };
}

export const hasX509 = (
  agent: AgentUnit,
  id: string,
  seconds = 20,
): Promise<{ svid: X509Svid; context: X509Context }> =>
  eventually(`the workload has an X509-SVID of ${id}`, () => fetchX509(agent, id), seconds);

/** Until the workload no longer gets that identity. */
export function losesX509(agent: AgentUnit, id: string, seconds = 20): Promise<unknown> {
  const gone = async () => {
    try {
      const { svids } = await agent.workload.fetchX509Context({ timeout: 10 });
      return svids.every((svid) => svid.id.toString() !== id) ? true : undefined;
    } catch (error) {
      if (error instanceof Error && /no identity issued/.test(error.message)) return true;
      throw error;
    }
  };
  return eventually(`the workload loses ${id}`, gone, seconds);
}

/** A JWT-SVID of that identity, verified with the JWT bundles of the agent, and by the agent. */
export async function fetchJwt(agent: AgentUnit, id: SpiffeId, audience = 'somebody'): Promise<string> {
  const [svid] = await agent.workload.fetchJwtSvids({ audience: [audience], id }, { timeout: 15 });
  if (svid === undefined) throw new Error(`no JWT-SVID of ${id}`);
  const bundles = await agent.workload.fetchJwtBundles({ timeout: 10 });
  verifyJwtSvid(svid.token, bundles, [audience], { now: now() });
  const judged = await agent.workload.validateJwtSvid(svid.token, audience, { timeout: 10 });
  if (!judged.id.equals(id)) throw new Error(`the agent says the token is of ${judged.id}`);
  return svid.token;
}

export const serials = (bundle: TrustBundle | undefined): string[] =>
  (bundle?.x509Authorities ?? []).map(({ certificate }) => certificate.serialHex).sort();
