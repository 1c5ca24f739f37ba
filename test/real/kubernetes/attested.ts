// What the k8s attestor of ours says of a process, by itself.
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { CHECKOUT, type Pod } from './pods.ts';

export interface Attested {
  readonly selectors?: readonly string[];
  readonly error?: string;
  readonly code?: string;
  readonly seconds: number;
}

/** What Node is given to attest a process. */
export function attesting(config: object, pid: number): readonly string[] {
  const script = join(CHECKOUT, 'test/real/kubernetes/attest/main.ts');
  return ['--disable-warning=ExperimentalWarning', script, JSON.stringify({ config, pid })];
}

/** In the node's network, with the machine's processes, as an agent of the host. */
export async function attested(cluster: Cluster, config: object, pid: number): Promise<Attested> {
  return await attestedMeanwhile(cluster, config, pid, async () => undefined);
}

/** Likewise; something is done once the process is held. */
export async function attestedMeanwhile(
  cluster: Cluster,
  config: object,
  pid: number,
  meanwhile: () => Promise<void>,
): Promise<Attested> {
  const helper = cluster.namespaces.startInNetwork('attest', process.execPath, attesting(config, pid));
  await helper.line(/^(asking|\{.*)$/m, 60);
  await meanwhile();
  await helper.ended;
  const line = helper.output.split('\n').findLast((each) => each.startsWith('{'));
  if (line === undefined) throw new Error(`the attestor said nothing:\n${helper.tail()}`);
  return JSON.parse(line) as Attested;
}

/** The machine's pid of the first process of a pod's container. */
export async function pidOf(cluster: Cluster, pod: Pod, container = 'main'): Promise<number> {
  const pids = await readFile(join(await groupOf(cluster, pod, container), 'cgroup.procs'), 'utf8');
  return Number(pids.split('\n')[0]);
}

/** The folder of one of its control groups. */
export async function groupOf(cluster: Cluster, pod: Pod, container = 'main'): Promise<string> {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  const status = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container);
  const id = status?.containerID?.replace(/^.*:\/\//, '') ?? 'none';
  for (const top of ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'])
    for await (const group of glob(`${top}${cluster.cgroupRoot}/**/${id}`)) return group;
  throw new Error(`container ${container} of ${pod.metadata.name} has no control group`);
}
