import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Case, ensure } from '../../interop/case.ts';
import type { Agents } from './agents.ts';
import { attested, attestedMeanwhile, groupOf, pidOf } from './attested.ts';
import type { Cluster } from './cluster.ts';
import { identitiesOf } from './fetched.ts';
import { createPod, type Pod, podOf, podWhen } from './pods.ts';

/** Pods that come and go, and processes that are not what they seem. */
export function podFaultCases(cluster: Cluster, agents: () => Promise<Agents>): readonly Case[] {
  const { api } = cluster;
  return [
    {
      name: 'a workload that asks before the kubelet knows its container gets its SVID at its first try',
      run: async () => {
        const both = await agents();
        const { server, ours, mounts } = both;
        const id = server.id('/early');
        await server.createEntry(id, ours.id, ['k8s:pod-label:app:early', 'k8s:container-name:main']);
        const labels = { app: 'early' };
        const before = await createPod(api, podOf('not-early', { labels, mounts }));
        await identitiesOf(cluster, both, before, 'main', [id]);
        for (let number = 0; number < 3; number++) {
          const spec = { restartPolicy: 'Never' };
          const pod = podOf(`early-${number}`, { labels, mounts, command: both.fetch(ours), spec });
          await api.apply(pod);
          const ended = ({ status }: Pod) => /Succeeded|Failed/.test(status.phase);
          const { status } = await podWhen(api, pod, 'has ended', ended);
          const said = await cluster.kubectl(['logs', pod.metadata.name]);
          ensure(status.phase === 'Succeeded' && said.includes(id), `${id} at the first try, not:\n${said}`);
          await api.delete(pod);
        }
        await api.delete(before);
      },
    },
    {
      name: 'a control group that is called like a container of a pod gets nothing, whatever the pod does',
      run: async () => {
        const { kubelet } = await agents();
        const pod = await createPod(api, podOf('victim'));
        const group = join(dirname(await groupOf(cluster, pod)), randomBytes(32).toString('hex'));
        await mkdir(group);
        const forger = spawn('sleep', ['1000']);
        try {
          await writeFile(join(group, 'cgroup.procs'), String(forger.pid));
          for (const more of [{}, { disable_container_selectors: true }]) {
            const config = { ...kubelet, max_poll_attempts: 3, ...more };
            const { error } = await attested(cluster, config, forger.pid ?? 0);
            ensure(/does not know the container/.test(error ?? ''), `a refusal, not "${error}"`);
          }
        } finally {
          await ended(forger);
          await rmdir(group);
          await api.delete(pod);
        }
      },
    },
    {
      name: 'a process that is killed with its pod while the kubelet thinks gets nothing',
      run: async () => {
        const { kubelet } = await agents();
        const pod = await createPod(api, podOf('short-lived'));
        const pid = await pidOf(cluster, pod);
        const stopped = await kubeletPid(cluster);
        process.kill(stopped, 'SIGSTOP');
        try {
          const { code, error } = await attestedMeanwhile(cluster, kubelet, pid, async () => {
            await new Promise((done) => setTimeout(done, 500));
            process.kill(pid, 'SIGKILL');
            process.kill(stopped, 'SIGCONT');
          });
          ensure(code === 'permission-denied', `that it is gone, not "${error}"`);
        } finally {
          process.kill(stopped, 'SIGCONT');
          await api.delete(pod);
        }
      },
    },
    {
      name: 'a kubelet that is away for a moment is waited for',
      run: async () => {
        const { kubelet } = await agents();
        const pod = await createPod(api, podOf('patient'));
        const pid = await pidOf(cluster, pod);
        await cluster.processes.get('kubelet')?.stop();
        const { selectors, error } = await attestedMeanwhile(cluster, kubelet, pid, async () => {
          await new Promise((done) => setTimeout(done, 1000));
          await cluster.restartKubelet();
        });
        ensure(selectors?.includes('pod-name:patient') ?? false, `selectors, not "${error}"`);
        await api.delete(pod);
      },
    },
  ];
}

/** It is a child of what brought it into the node's namespaces. */
async function kubeletPid(cluster: Cluster): Promise<number> {
  const parent = cluster.processes.get('kubelet')?.child.pid;
  return Number((await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).trim());
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await exit;
}
