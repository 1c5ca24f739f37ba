// A suite is one story, told once for each pairing of programs that makes sense.
import { type Case, Skip } from '../case.ts';
import { MAKERS, type Maker } from './maker.ts';
import { Site } from './site.ts';

export interface Pairing {
  readonly server: Maker;
  readonly agent: Maker;
}

export interface Suite {
  readonly name: string;
  /** Which pairings; by default all four. SPIRE with SPIRE is the control: it shows that the checks are right. */
  readonly pairings?: readonly Pairing[];
  readonly run: (site: Site, pairing: Pairing) => Promise<void>;
}

const ALL_PAIRINGS: readonly Pairing[] = MAKERS.flatMap((server) => MAKERS.map((agent) => ({ server, agent })));

/** For stories of one server without an agent of either kind: the agent's maker is that of the server. */
export const EACH_SERVER: readonly Pairing[] = MAKERS.map((server) => ({ server, agent: server }));

export function casesOf({ name, pairings = ALL_PAIRINGS, run }: Suite): Case[] {
  return pairings.map((pairing) => ({
    name: `${name} [${pairing.server} server, ${pairing.agent} agent]`,
    run: async () => {
      const site = await Site.open();
      try {
        await run(site, pairing);
        await site.close(false);
      } catch (error) {
        const logs = await site.close(!(error instanceof Skip));
        if (error instanceof Skip || !(error instanceof Error)) throw error;
        throw new Error(`${error.message}\n         logs: ${logs}`, { cause: error });
      }
    },
  }));
}
