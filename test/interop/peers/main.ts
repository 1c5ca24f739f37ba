// `npm run peers`: fetches or builds every real program that `npm run interop` speaks with.
import { runCases } from '../case.ts';
import { goExample, pythonWithSpiffe } from './clients.ts';
import { KUBERNETES_VERSION, kubernetesPrograms } from './kubernetes.ts';
import { goWorkload, javaWorkload, pythonWorkload, rustWorkload } from './libraries.ts';
import { PEBBLE_VERSION, pebble } from './pebble.ts';
import { SPIRE_PROGRAMS, SPIRE_VERSION, spireProgram } from './spire.ts';
import { controllerManager, envoy, grpcHealthProbe, grpcurl, nginx, spiffeHelper } from './third-party.ts';

const examples = ['spiffe-tls', 'spiffe-http', 'spiffe-jwt'].flatMap((name) => [`${name}/server`, `${name}/client`]);
const others = {
  'spiffe-helper': spiffeHelper,
  nginx,
  Envoy: envoy,

  grpcurl,
  'grpc-health-probe': grpcHealthProbe,
  'spire-controller-manager': controllerManager,
  'workload on go-spiffe': goWorkload,
  'workload on java-spiffe': javaWorkload,
  'workload on the crate spiffe': rustWorkload,
  'workload on py-spiffe': pythonWorkload,
};
const tally = await runCases([
  ...SPIRE_PROGRAMS.map((name) => ({
    name: `${name} ${SPIRE_VERSION}`,
    run: async () => void (await spireProgram(name)),
  })),
  ...[...examples, 'spiffe-watcher'].map((name) => ({
    name: `go-spiffe example ${name}`,
    run: async () => void (await goExample(name)),
  })),
  { name: `pebble ${PEBBLE_VERSION}`, run: async () => void (await pebble()) },
  ...Object.entries(others).map(([name, get]) => ({ name, run: async () => void (await get()) })),
  { name: `Kubernetes ${KUBERNETES_VERSION}`, run: async () => void (await kubernetesPrograms()) },
  { name: 'py-spiffe', run: async () => void (await pythonWithSpiffe()) },
]);
console.log(`${tally.passed} present, ${tally.failed} failed, ${tally.skipped} skipped`);
process.exitCode = tally.failed > 0 ? 1 : 0;
