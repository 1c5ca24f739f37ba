import { hostname } from 'node:os';
import type { Clock, Logger, TaskGroup } from '@steeple/daemon';
import { inClusterAccess, KubernetesClient, kubeconfigAccess } from '@steeple/daemon/kubernetes';
import { PodCertificates } from './app/pod-certificates/pod-certificates.ts';
import { type RandomBytes, random01, uuid } from './app/randomness.ts';
import { Lease } from './app/registrar/lease.ts';
import { Registrar } from './app/registrar/registrar.ts';
import type { ServerConfig } from './config.ts';
import type { KubernetesConfig } from './kubernetes-config.ts';
import type { UseCases } from './use-cases.ts';

interface Rim {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: RandomBytes;
}

/** Starts what a server does in a cluster; it ends with the tasks. */
export const startKubernetes = (
  kubernetes: KubernetesConfig,
  { trustDomain, x509SvidTtl }: Pick<ServerConfig, 'trustDomain' | 'x509SvidTtl'>,
  use: UseCases,
  rim: Rim,
  { stack, tasks }: { readonly stack: AsyncDisposableStack; readonly tasks: TaskGroup },
): void => {
  const { kubeconfig, signerName } = kubernetes;
  const access = kubeconfig === undefined ? inClusterAccess() : kubeconfigAccess(kubeconfig);
  const client = stack.use(new KubernetesClient({ access, clock: rim.clock }));
  const wakes: (() => void)[] = [];
  const identity = `${hostname()}_${uuid(rim.random)}`;
  const onHeld = () => wakes.forEach((wake) => wake());
  const lease = kubernetes.lease && new Lease(kubernetes.lease, { ...rim, client, identity, onHeld });
  const leads = () => lease?.isHeld() ?? true;
  if (lease) tasks.run('lease', (signal) => lease.run(signal));
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
    wakes.push(() => certificates.wake());
    tasks.run('pod certificates', (signal) => certificates.run(signal));
  }
  if (kubernetes.registrar) {
    const registrar = stack.use(new Registrar(kubernetes.registrar, { ...use, ...rim, client, trustDomain, leads }));
    wakes.push(() => registrar.wake());
    tasks.run('registrar', (signal) => registrar.run(signal));
  }
};
