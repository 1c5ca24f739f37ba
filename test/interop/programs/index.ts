import type { Suite } from '../spire/suite.ts';
import { applySuite } from './apply.ts';
import { clientLibraries } from './client-libraries.ts';
import { controllerManagerSuite } from './controller-manager.ts';
import { envoys } from './envoy.ts';
import { envoyFederation } from './envoy-federation.ts';
import { grpcTools } from './grpc-tools.ts';
import { spiffeHelperSuite } from './spiffe-helper.ts';
import { spiffeHelperOnce } from './spiffe-helper-once.ts';

/** Programs of third parties, unchanged: each is a case with ours and one with SPIRE's. */
export const programs: readonly Suite[] = [
  spiffeHelperSuite,
  spiffeHelperOnce,
  envoys,
  envoyFederation,
  grpcTools,
  controllerManagerSuite,
  applySuite,
  ...clientLibraries,
];
