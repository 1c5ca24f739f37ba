import { join } from 'node:path';
import { comparisonCases } from '../containers/comparison.ts';
import { faultCases } from '../containers/fault-cases.ts';
import { forgeryCases } from '../containers/forgery-cases.ts';
import { openPlace } from '../containers/place.ts';
import { selectorCases } from '../containers/selector-cases.ts';
import type { OpenPart, RealPart } from '../real-part.ts';
import { Dockerd } from './dockerd.ts';

export const docker: RealPart = {
  name: 'docker',
  what: "containers of Docker's engine, forged and real",
  open: async (folder): Promise<OpenPart> => {
    const engine = await Dockerd.start(join(folder, 'docker'));
    try {
      const place = await openPlace(engine);
      const kinds = [selectorCases, forgeryCases, comparisonCases, faultCases];
      return {
        cases: kinds.flatMap((kind) => kind(place)),
        [Symbol.asyncDispose]: async () => {
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
