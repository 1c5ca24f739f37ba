import { Site } from '../../interop/spire/site.ts';
import type { OpenPart, RealPart } from '../real-part.ts';
import { agentCases } from './agent-cases.ts';
import { lies, replay, tell } from './lies.ts';
import { openMachines, serverFor } from './machines.ts';
import { serverCases } from './server-cases.ts';

/** TPM 2.0 as swtpm has it: the whole of the TCG's reference code, in a process. Keys are made with tpm2-tools. */
export const tpm: RealPart = {
  name: 'tpm',
  what: 'machines with a TPM 2.0 (swtpm), whose DevID is provisioned by tpm2-tools',
  open: async (): Promise<OpenPart> => {
    const site = await Site.open();
    try {
      const machines = await openMachines(site);
      const server = await serverFor(site, 'steeple', machines);
      const place = { site, machines, server };
      const told = lies.map((lie) => ({
        name: `the server refuses ${lie.name}`,
        run: () => tell(site, server, machines, lie),
      }));
      const again = { name: 'the server refuses what was said before', run: () => replay(site, server, machines) };
      const cases = [...agentCases(place), ...serverCases(place), ...told, again];
      return { cases, [Symbol.asyncDispose]: async () => void (await site.close(false)) };
    } catch (error) {
      await site.close(false);
      throw error;
    }
  },
};
