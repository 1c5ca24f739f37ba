import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentUnit } from '../../interop/spire/agent-unit.ts';
import { eventually } from '../../interop/spire/checks.ts';
import type { Maker } from '../../interop/spire/maker.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import type { Site } from '../../interop/spire/site.ts';
import { cpuSeconds } from '../figures.ts';
import { pidOf } from '../sites.ts';
import type { AttestorPlace } from './setting.ts';

const LANES = 4;
const program = join(import.meta.dirname, 'fetch-load.ts');

export interface Fetched {
  readonly calls: number;
  /** Processor seconds of the agent. */
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
}

/** An agent that has an identity for who runs in the place. */
export async function readyAgent(
  site: Site,
  place: AttestorPlace,
  server: ServerUnit,
  maker: Maker,
): Promise<AgentUnit> {
  const more = { settings: { log_level: 'ERROR' }, plugins: { WorkloadAttestor: place.plugins }, env: place.env };
  const agent = await site.agent(maker, server, more);
  await server.createEntry(server.id('/bench'), agent.id, [place.selector]);
  await eventually('the workload has its identity', async () => (await load(site, place, agent, 0.1)).calls > 0);
  return agent;
}

let runs = 0;

/** Asks the agent for SVIDs for so many seconds, four calls at a time, from within the place. */
export async function load(site: Site, place: AttestorPlace, agent: AgentUnit, seconds: number): Promise<Fetched> {
  runs += 1;
  const file = join(site.dir, `load-${runs}`);
  const before = cpuSeconds(pidOf(agent));
  await place.run([process.execPath, program, agent.socket, String(seconds), String(LANES), file]);
  const cpu = cpuSeconds(pidOf(agent)) - before;
  const answer = JSON.parse(await readFile(file, 'utf8')) as Fetched & { readonly failure: string };
  if (answer.failure !== '') throw new Error(answer.failure);
  return { ...answer, cpu };
}
