import type { Clock, Logger, TaskGroup } from '@steeple/daemon';
import { inClusterAccess, KubernetesClient, kubeconfigAccess } from '@steeple/daemon/kubernetes';
import type { RandomBytes } from './app/randomness.ts';
import { Registrar } from './app/registrar/registrar.ts';
import type { ServerConfig } from './config.ts';
import type { UseCases } from './use-cases.ts';

/** Starts what a server does in a cluster, if it is configured; it ends with the tasks. */
export const startKubernetes = (
  { kubernetes, trustDomain }: ServerConfig,
  use: UseCases,
  rim: { readonly clock: Clock; readonly logger: Logger; readonly random: RandomBytes },
  { stack, tasks }: { readonly stack: AsyncDisposableStack; readonly tasks: TaskGroup },
): void => {
  if (kubernetes === undefined) return;
  const { kubeconfig } = kubernetes;
  const access = kubeconfig === undefined ? inClusterAccess() : kubeconfigAccess(kubeconfig);
  const client = stack.use(new KubernetesClient({ access, clock: rim.clock }));
  if (kubernetes.registrar) {
    const registrar = stack.use(
      new Registrar(kubernetes.registrar, { ...use, ...rim, client, trustDomain, leads: () => true }),
    );
    tasks.run('registrar', (signal) => registrar.run(signal));
  }
};
