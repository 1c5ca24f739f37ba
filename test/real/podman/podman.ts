import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case } from '../../interop/case.ts';
import { comparisonCases } from '../containers/comparison.ts';
import { faultCases } from '../containers/fault-cases.ts';
import { forgeryCases } from '../containers/forgery-cases.ts';
import { allow, askIn, openPlace, type Place, told } from '../containers/place.ts';
import { selectorCases } from '../containers/selector-cases.ts';
import type { OpenPart, RealPart } from '../real-part.ts';
import { PodmanEngine } from './podman-engine.ts';
import { Rootless } from './rootless.ts';
import { rootlessCases } from './rootless-cases.ts';

export const podman: RealPart = {
  name: 'podman',
  what: "podman's containers and pods, of root and of a user",
  open: async (folder): Promise<OpenPart> => {
    // Another user has to reach what is theirs.
    await chmod(folder, 0o711);
    const rootless = new Rootless(join(folder, 'users'));
    const engine = await PodmanEngine.start(join(folder, 'podman'));
    try {
      const place = await openPlace(engine);
      const kinds = [selectorCases, podCases, forgeryCases, comparisonCases, faultCases];
      return {
        cases: [...kinds.flatMap((kind) => kind(place)), ...rootlessCases(rootless)],
        [Symbol.asyncDispose]: async () => {
          await rootless[Symbol.asyncDispose]();
          await place.site.close(false);
          await engine[Symbol.asyncDispose]();
        },
      };
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  },
};

function podCases(place: Place): readonly Case[] {
  const { engine } = place;
  return [
    {
      name: "a container in a pod of podman's is known by its own labels, not by those of the pod",
      run: async () => {
        await allow(place, '/pod/container', 'docker:label:pod:inner');
        await allow(place, '/pod/pod', 'docker:label:pod:outer');
        const group = ['--infra=false', '--cgroup-parent', engine.parentGroup];
        await engine.command('pod', 'create', '--name', 'shop', '--label', 'pod=outer', ...group);
        await told('its own', () => askIn(place, '--pod', 'shop', '--label', 'pod=inner'), '/pod/container');
        await engine.command('pod', 'rm', '--force', 'shop');
      },
    },
  ];
}
