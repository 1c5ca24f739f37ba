// `npm run bench -- --only soak`: what an agent holds after 100,000 attestations, by each attestor that can be had here.
import { readdirSync } from 'node:fs';
import { Skip } from '../../interop/case.ts';
import type { AgentUnit } from '../../interop/spire/agent-unit.ts';
import { Site } from '../../interop/spire/site.ts';
import { type Figure, residentMiB } from '../figures.ts';
import { pidOf } from '../sites.ts';
import { load, readyAgent } from './fetching.ts';
import type { AttestorSetting } from './setting.ts';
import { settings } from './settings.ts';

const ATTESTATIONS = 100_000;
const SECONDS = 10;
/** Of the attestations, until memory has its usual size. */
const WARM_UP = 0.3;

export async function soak(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const setting of settings) {
    const site = await Site.open();
    try {
      figures.push(await hold(site, setting));
    } catch (error) {
      if (!(error instanceof Skip)) throw error;
      figures.push({ what: setting.name, value: 'not measured', against: error.message });
    } finally {
      await site.close(false);
    }
  }
  return figures;
}

async function hold(site: Site, { name, open }: AttestorSetting): Promise<Figure> {
  const place = await open(site);
  const server = await site.server('steeple', { settings: { log_level: 'WARN' } });
  const agent = await readyAgent(site, place, server, 'steeple');
  let warm: Held | undefined;
  let done = 0;
  while (done < ATTESTATIONS) {
    done += (await load(site, place, agent, SECONDS)).calls;
    if (warm === undefined && done > WARM_UP * ATTESTATIONS) warm = held(agent);
  }
  const end = held(agent);
  if (warm === undefined) throw new Error('nothing was measured');
  return {
    what: `${done.toLocaleString('en')} attestations by ${name}`,
    value: `${warm.memory} → ${end.memory} MiB, ${warm.descriptors} → ${end.descriptors} descriptors`,
    against: `resident, after ${WARM_UP * 100} % of them and at the end`,
  };
}

interface Held {
  readonly memory: number;
  readonly descriptors: number;
}

const held = (agent: AgentUnit): Held => ({
  memory: Math.round(residentMiB(pidOf(agent))),
  descriptors: readdirSync(`/proc/${pidOf(agent)}/fd`).length,
});
