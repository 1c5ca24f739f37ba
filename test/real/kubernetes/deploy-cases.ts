import { glob } from 'node:fs/promises';
import { type Case, ensure } from '../../interop/case.ts';
import type { Cluster } from './cluster.ts';
import { csiCase } from './csi-case.ts';
import { Deployed, MANIFESTS } from './deployed.ts';
import { notifierCase } from './notifier-case.ts';
import { restartCase } from './restart-case.ts';
import { saying } from './saying.ts';
import { trustBundleCases } from './trust-bundle-cases.ts';

/** Life in the cluster: server and agent as pods, from our own manifests. */
export function deployCases(cluster: Cluster): readonly Case[] {
  let started: Promise<Deployed> | undefined;
  const deployed = (): Promise<Deployed> => {
    started ??= Deployed.start(cluster);
    return started;
  };
  return [
    {
      name: 'every manifest is what the API server takes, strictly and without a warning',
      run: () => manifestsAreTaken(cluster),
    },
    {
      name: 'docs/kubernetes.md can be followed from top to bottom',
      run: async () => pageIsFollowed(await deployed()),
    },
    {
      name: 'server and agent run as pods from our manifests, and the agent attests by k8s_psat',
      run: async () => agentIsAttested(cluster, await deployed()),
    },
    {
      name: 'server and agent may do what they need in the cluster, and nothing else',
      run: async () => rightsAreNarrow(cluster, await deployed()),
    },
    {
      name: 'a pod that no entry is for gets nothing through the hostPath socket of our agent pod',
      run: async () => strangerGetsNothing(cluster, await deployed()),
    },
    csiCase(cluster, deployed),
    ...trustBundleCases(cluster, deployed),
    notifierCase(cluster),
    restartCase(cluster, deployed),
  ];
}

async function manifestsAreTaken(cluster: Cluster): Promise<void> {
  // What the others live in has to be there for a dry run.
  await cluster.kubectl(['apply', '-f', `${MANIFESTS}/namespace.yaml`]);
  const manifests: string[] = [];
  for await (const file of glob(`${MANIFESTS}/**/*.yaml`)) {
    if (!file.endsWith('/kustomization.yaml')) manifests.push('-f', file);
  }
  // On the server's side: other cases may have made some of these objects by other means.
  const strictly = [
    '--server-side',
    '--force-conflicts',
    '--dry-run=server',
    '--validate=strict',
    '--warnings-as-errors',
  ];
  const output = await cluster.kubectl(['apply', ...strictly, ...manifests]);
  for (const object of ['statefulset.apps/steeple-server', 'daemonset.apps/steeple-agent', 'pod/workload-csi']) {
    ensure(output.includes(object), `${object} among:\n${output}`);
  }
}

async function pageIsFollowed({ page }: Deployed): Promise<void> {
  for (const said of [/spire\/agent\/k8s_psat\/demo\//, /spiffe:\/\/example\.org\/workload\b/, /^[1-9]$/m]) {
    ensure(said.test(page), `${said} in what was seen on the way:\n${page}`);
  }
}

async function agentIsAttested(cluster: Cluster, deployed: Deployed): Promise<void> {
  const shown = await deployed.server('agent', 'show', '-spiffeID', await deployed.agentId());
  const expected = [
    'cluster:demo',
    'agent_ns:steeple',
    'agent_sa:steeple-agent',
    // Restarted it is the same agent, which attested as an earlier pod.
    'agent_pod_name:steeple-agent-',
    `agent_node_ip:${cluster.address}`,
    `agent_node_name:${cluster.nodeName}`,
  ];
  for (const selector of expected) ensure(shown.includes(`k8s_psat:${selector}`), `${selector} in:\n${shown}`);
}

/** Verb, resource, and whether it is allowed. */
type Right = readonly [verb: string, resource: string, allowed: boolean, namespace?: string];
const RIGHTS: Readonly<Record<string, readonly Right[]>> = {
  'steeple-server': [
    ['create', 'tokenreviews.authentication.k8s.io', true],
    ['get', 'nodes', true],
    ['get', 'pods', true, 'steeple'],
    ['patch', 'configmaps/steeple-bundle', true, 'steeple'],
    ['list', 'nodes', false],
    ['get', 'pods', false, 'default'],
    ['list', 'pods', false, 'steeple'],
    ['patch', 'configmaps/steeple-server', false, 'steeple'],
    ['create', 'configmaps', false, 'steeple'],
    ['get', 'secrets', false, 'steeple'],
    ['create', 'serviceaccounts/token', false, 'steeple'],
  ],
  'steeple-agent': [
    ['get', 'nodes/pods', true],
    ['get', 'nodes/proxy', false],
    ['get', 'nodes', false],
    ['list', 'pods', false, 'default'],
    ['get', 'secrets', false, 'steeple'],
  ],
};

async function rightsAreNarrow(cluster: Cluster, deployed: Deployed): Promise<void> {
  await deployed.ready();
  for (const [account, rights] of Object.entries(RIGHTS)) {
    for (const [verb, resource, allowed, namespace = 'default'] of rights) {
      const [kind = '', rest] = resource.split('/');
      const isName = rest?.startsWith('steeple') ?? false;
      const target = rest === undefined || isName ? [resource] : [kind, `--subresource=${rest}`];
      const as = `--as=system:serviceaccount:steeple:${account}`;
      const asked = ['auth', 'can-i', verb, ...target, '-n', namespace, as];
      const answer = await cluster.kubectl(asked).catch((error: Error) => error.message);
      ensure(
        /^yes$/m.test(answer) === allowed,
        `${account}: ${verb} ${resource} in ${namespace}: ${allowed}, not:\n${answer}`,
      );
    }
  }
}

async function strangerGetsNothing(cluster: Cluster, deployed: Deployed): Promise<void> {
  await deployed.ready();
  await cluster.kubectl(['run', 'stranger', '--image=steeple:0.1.0', '--restart=Never', '--overrides', stranger()]);
  try {
    await saying(cluster, 'stranger', /no identity issued/i);
  } finally {
    await cluster.kubectl(['delete', 'pod/stranger', '--grace-period=0', '--force']);
  }
}

/** The same as the example, but for its label. */
function stranger(): string {
  const folder = '/run/steeple/agent';
  const main = {
    name: 'stranger',
    image: 'steeple:0.1.0',
    command: ['steeple', 'api', 'fetch', 'x509'],
    env: [{ name: 'SPIFFE_ENDPOINT_SOCKET', value: `unix://${folder}/workload.sock` }],
    volumeMounts: [{ name: 'agent', mountPath: folder }],
  };
  return JSON.stringify({ spec: { containers: [main], volumes: [{ name: 'agent', hostPath: { path: folder } }] } });
}
