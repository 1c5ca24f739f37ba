import type { Clock, Logger, TaskGroup } from '@steeple/daemon';
import { inClusterAccess, KubernetesClient, kubeconfigAccess } from '@steeple/daemon/kubernetes';
import { PodCertificates } from './app/pod-certificates/pod-certificates.ts';
import { type RandomBytes, random01 } from './app/randomness.ts';
import { Registrar } from './app/registrar/registrar.ts';
import type { ServerConfig } from './config.ts';
import type { UseCases } from './use-cases.ts';

/** Starts what a server does in a cluster, if it is configured; it ends with the tasks. */
export const startKubernetes = (
  { kubernetes, trustDomain, x509SvidTtl }: ServerConfig,
  use: UseCases,
  rim: { readonly clock: Clock; readonly logger: Logger; readonly random: RandomBytes },
  { stack, tasks }: { readonly stack: AsyncDisposableStack; readonly tasks: TaskGroup },
): void => {
  if (kubernetes === undefined) return;
  const { kubeconfig } = kubernetes;
  const access = kubeconfig === undefined ? inClusterAccess() : kubeconfigAccess(kubeconfig);
  const client = stack.use(new KubernetesClient({ access, clock: rim.clock }));
  const leads = (): boolean => true;
  const { signerName } = kubernetes;
  if (signerName !== undefined) {
    const certificates = new PodCertificates({
      ...use,
      ...rim,
      ...kubernetes,
      client,
      leads,
      signerName,
      agents: use.datastore.agents,
      settings: { x509SvidTtl },
      random01: () => random01(rim.random),
      onEntries: (listener) =>
        use.datastore.watch(({ entries }) => {
          if (entries.put.length > 0) listener();
        }),
    });
    tasks.run('pod certificates', (signal) => certificates.run(signal));
  }
  if (kubernetes.registrar) {
    const registrar = stack.use(new Registrar(kubernetes.registrar, { ...use, ...rim, client, trustDomain, leads }));
    tasks.run('registrar', (signal) => registrar.run(signal));
  }
};
