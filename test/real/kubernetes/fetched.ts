// What a workload in a pod gets from the agent of ours.
import { ensure } from '../../interop/case.ts';
import type { Agents } from './agents.ts';
import type { Cluster } from './cluster.ts';
import type { Pod } from './pods.ts';

/** Waits until a container's workload gets exactly these identities. */
export async function identitiesOf(
  cluster: Cluster,
  agents: Agents,
  pod: Pod,
  container: string,
  expected: readonly string[],
): Promise<void> {
  const wanted = expected.toSorted().join('\n');
  let got = '';
  for (let tries = 0; tries < 40 && got !== wanted; tries++) {
    const { output } = await inPod(cluster, agents, pod, container);
    const ids = [...output.matchAll(/"spiffe_id":\s*"([^"]+)"/g)].map(([, id]) => id ?? '');
    got = ids.toSorted().join('\n');
    if (got !== wanted) await new Promise((done) => setTimeout(done, 250));
  }
  ensure(got === wanted, `${container} of ${pod.metadata.name} gets\n${wanted}\nand not\n${got}`);
}

/** The workload is told that it has no identity. */
export async function nothingFor(cluster: Cluster, agents: Agents, pod: Pod): Promise<void> {
  const { code, output } = await inPod(cluster, agents, pod, 'main');
  ensure(code !== 0 && output.includes('PermissionDenied'), `a refusal, not:\n${output}`);
}

function inPod(cluster: Cluster, agents: Agents, { metadata }: Pod, container: string) {
  const where = ['-n', metadata.namespace ?? 'default', metadata.name, '-c', container];
  const args = ['--kubeconfig', cluster.kubeconfig, 'exec', ...where, '--', ...agents.fetch(agents.ours)];
  return cluster.run(cluster.program('kubectl'), args);
}
