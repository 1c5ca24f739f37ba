import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Case, ensure } from '../../interop/case.ts';
import type { Agents } from './agents.ts';
import { type Attested, attested, attesting, pidOf } from './attested.ts';
import type { Cluster } from './cluster.ts';
import { ClusterCertificates } from './cluster-certificates.ts';
import { createPod, nodeMounts, podOf } from './pods.ts';

interface Attempt {
  readonly config: object;
  /** In the error; without one it must succeed. */
  readonly refusal?: RegExp;
}

/** Every way to ask the kubelet, and what is said where it cannot be asked or believed. */
export function kubeletCases(cluster: Cluster, agents: () => Promise<Agents>): readonly Case[] {
  let pid: Promise<number> | undefined;
  const workload = (): Promise<number> => {
    pid ??= createPod(cluster.api, podOf('kubelet-workload')).then((pod) => pidOf(cluster, pod));
    return pid;
  };
  const attempt = (name: string, prepare: (agents: Agents) => Promise<Attempt> | Attempt): Case => ({
    name: `kubelet: ${name}`,
    run: async () => {
      const { config, refusal } = await prepare(await agents());
      check(await attested(cluster, config, await workload()), refusal);
    },
  });
  const { certificates: made, folder } = cluster;
  const trusting = { kubelet_ca_path: made.ca };
  return [
    attempt('read-only port', () => ({ config: { kubelet_read_only_port: cluster.kubeletReadOnlyPort } })),
    attempt('secure port with a token', ({ kubelet }) => ({ config: kubelet })),
    attempt('secure port on the loopback interface', ({ kubelet: { token_path } }) => ({
      config: { ...trusting, token_path },
    })),
    attempt('a client certificate', async () => {
      await made.issue('kubelet-reader', '/O=system:masters/CN=kubelet-reader');
      const paths = {
        certificate_path: made.certificate('kubelet-reader'),
        private_key_path: made.key('kubelet-reader'),
      };
      return { config: { ...trusting, ...paths } };
    }),
    attempt('its certificate is not verified', ({ kubelet: { token_path } }) => ({
      config: { token_path, skip_kubelet_verification: true },
    })),
    attempt('with no credentials it refuses', () => ({
      config: { ...trusting, use_anonymous_authentication: true },
      refusal: /kubelet answered 401/,
    })),
    attempt('a token without the right to see pods', async () => {
      const token_path = join(folder, 'powerless');
      await writeFile(token_path, await cluster.kubectl(['create', 'token', 'default']), { mode: 0o600 });
      return { config: { ...trusting, token_path }, refusal: /answered 403: .*"nodes\/pods"/ };
    }),
    attempt('a certificate of another authority is not believed', async ({ kubelet }) => {
      const other = await ClusterCertificates.create(join(folder, 'other-authority'));
      return { config: { ...kubelet, kubelet_ca_path: other.ca }, refusal: /certificate/ };
    }),
    attempt('a certificate for another name is not believed', ({ kubelet }) => ({
      config: { ...kubelet, node_name: '127.0.0.2' },
      refusal: /certificate|does not match/i,
    })),
    attempt('nobody is at its port', ({ kubelet }) => ({
      config: { ...kubelet, kubelet_secure_port: 1, max_poll_attempts: 3 },
      refusal: /ECONNREFUSED/,
    })),
    {
      name: 'kubelet: an agent in a pod uses its service account, also for the labels of namespaces',
      run: async () => inPod(cluster, await agents()),
    },
    attempt('a token that is not there is told at the start', ({ kubelet }) => ({
      config: { ...kubelet, token_path: join(folder, 'no-token') },
      refusal: /token_path: .*no-token cannot be read/,
    })),
  ];
}

async function inPod(cluster: Cluster, { kubelet }: Agents): Promise<void> {
  const { api } = cluster;
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', labels: { team: 'blue' } } });
  const spec = { serviceAccountName: 'steeple-agent' };
  const pod = await createPod(api, podOf('agent', { mounts: nodeMounts(), spec }));
  const config = { node_name: kubelet['node_name'], enable_namespace_labels: true };
  // Of the pod's own first process.
  const command = attesting(config, 1);
  const said = await cluster.kubectl(['exec', 'agent', '--', process.execPath, ...command]);
  ensure(said.includes('"pod-name:agent"') && said.includes('"ns-label:team:blue"'), `its selectors, not ${said}`);
  await api.delete(pod);
}

function check({ selectors, error, seconds }: Attested, refusal: RegExp | undefined): void {
  if (refusal === undefined) {
    ensure(selectors?.includes('pod-name:kubelet-workload') ?? false, `selectors, not "${error}"`);
  } else {
    ensure(refusal.test(error ?? ''), `an error like ${refusal}, not "${error ?? selectors?.join()}"`);
    ensure(seconds < 10, `an error within 10 s, not ${seconds}`);
  }
}
