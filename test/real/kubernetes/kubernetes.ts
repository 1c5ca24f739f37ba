import { join } from 'node:path';
import type { RealPart } from '../real-part.ts';
import { attestorCases } from './attestor-cases.ts';
import { Cluster } from './cluster.ts';
import { clusterCases } from './cluster-cases.ts';
import { deployCases } from './deploy-cases.ts';
import { psatCases } from './psat-cases.ts';
import { registrarCases } from './registrar-cases.ts';

export const kubernetes: RealPart = {
  name: 'kubernetes',
  what: 'a Kubernetes 1.34 of one node: attestation of pods and nodes, and life in the cluster',
  open: async (folder) => {
    const cleanUp = new AsyncDisposableStack();
    const cluster = cleanUp.use(await Cluster.start(join(folder, 'cluster')));
    return {
      cases: [
        ...clusterCases(cluster),
        ...attestorCases(cluster, cleanUp),
        ...registrarCases(cluster, cleanUp),
        ...psatCases(cluster, cleanUp),
        ...deployCases(cluster),
      ],
      [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
    };
  },
};
