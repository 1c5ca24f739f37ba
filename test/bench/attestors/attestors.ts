// `npm run bench -- --only attestors`: what an attestation costs by each attestor, ours and SPIRE's turn by turn.
import { Skip } from '../../interop/case.ts';
import { Site } from '../../interop/spire/site.ts';
import { type Figure, milliseconds } from '../figures.ts';
import { type Fetched, load, readyAgent } from './fetching.ts';
import type { AttestorSetting } from './setting.ts';
import { settings } from './settings.ts';

const SECONDS = 4;
const ROUNDS = 2;

export async function attestors(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const setting of settings) {
    const site = await Site.open();
    try {
      figures.push(await measure(site, setting));
    } catch (error) {
      if (!(error instanceof Skip)) throw error;
      figures.push({ what: setting.name, value: 'not measured', against: error.message });
    } finally {
      await site.close(false);
    }
    const { what, value } = figures.at(-1) ?? {};
    console.log(`${what}: ${value}`);
  }
  return figures;
}

async function measure(site: Site, { name, open }: AttestorSetting): Promise<Figure> {
  const place = await open(site);
  const server = await site.server('steeple', { settings: { log_level: 'WARN' } });
  const agentOf = (maker: 'steeple' | 'spire') => readyAgent(site, place, server, maker);
  const agents = [await agentOf('steeple'), await agentOf('spire')] as const;
  const rounds: [Fetched[], Fetched[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const side of [0, 1] as const) {
      const measured = await load(site, place, agents[side], SECONDS);
      // The first one is for the compilers.
      if (round > 0) rounds[side].push(measured);
    }
  }
  const [ours, theirs] = rounds.map(summary);
  if (ours === undefined || theirs === undefined) throw new Error('nothing was measured');
  const value = `${microseconds(ours.cpu)} : ${microseconds(theirs.cpu)} = ${(ours.cpu / theirs.cpu).toFixed(2)}`;
  return { what: name, value, against: `p50 ${ours.p50} : ${theirs.p50}, p99 ${ours.p99} : ${theirs.p99}` };
}

function summary(rounds: readonly Fetched[]) {
  const sum = (pick: (measured: Fetched) => number) => rounds.reduce((total, each) => total + pick(each), 0);
  const middle = (pick: (measured: Fetched) => number) => milliseconds(sum(pick) / rounds.length);
  return {
    cpu: sum(({ cpu }) => cpu) / sum(({ calls }) => calls),
    p50: middle((m) => m.p50),
    p99: middle((m) => m.p99),
  };
}

const microseconds = (seconds: number): string => `${Math.round(seconds * 1e6)} µs`;
