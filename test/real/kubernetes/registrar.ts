// A server of ours in the cluster's network that registers its pods and signs their certificates, with no more rights than
// the manifests give.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { types } from '@steeple/proto/server-api';
import { eventually } from '../../interop/spire/checks.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import { Site } from '../../interop/spire/site.ts';
import type { KubernetesObject } from './api-client.ts';
import type { Cluster } from './cluster.ts';
import { CHECKOUT } from './pods.ts';

const call = { deadline: 20 };
export const CLUSTER_NAME = 'real';
const ACCOUNT = 'steeple-server';
const ROLES = ['steeple-registrar', 'steeple-pod-certificates', 'steeple-trust-bundle'];
/** The name that the manifest gives rights for. */
const BUNDLE = { name: 'steeple.dev:x509-svid:example-org', signer_name: 'steeple.dev/x509-svid' };
const RBAC = 'rbac.authorization.k8s.io';

export class RegistrarUnit implements AsyncDisposable {
  readonly server: ServerUnit;
  readonly #site: Site;

  private constructor(server: ServerUnit, site: Site) {
    this.server = server;
    this.#site = site;
  }

  static async start(cluster: Cluster): Promise<RegistrarUnit> {
    for (const name of ['clusterspiffeids', 'clusterstaticentries', 'clusterfederatedtrustdomains']) {
      await applyManifest(cluster, `crds/${name}.yaml`);
      await established(cluster, `${name}.spire.spiffe.io`);
    }
    await applyManifest(cluster, 'registrar/cluster-role.yaml');
    await applyManifest(cluster, 'trust-bundle.yaml');
    await cluster.api.apply(...accountObjects());
    const site = await Site.open(['nsenter', '-t', `${cluster.namespaces.pid}`, '-n', '--']);
    try {
      const kubeconfig = await writeKubeconfig(cluster, site.dir);
      const kubernetes = {
        cluster_name: CLUSTER_NAME,
        kube_config_file: kubeconfig,
        registrar: { ignore_namespaces: ['^kube-'] },
        pod_certificates: {},
      };
      const clusters = { here: { ...BUNDLE, kubeconfig_path: kubeconfig } };
      const plugins = { BundlePublisher: { k8s_cluster_trust_bundle: { clusters } } };
      return new RegistrarUnit(await site.server('steeple', { blocks: { kubernetes }, plugins }), site);
    } catch (error) {
      await site.close(false);
      throw error;
    }
  }

  /** The ID of the agent that there would be on a node. */
  agentId(nodeUid: string): string {
    return this.server.id(`/spire/agent/k8s_psat/${CLUSTER_NAME}/${nodeUid}`);
  }

  async entries(): Promise<readonly types.Entry[]> {
    return (await this.server.api.entry.listEntries({ pageSize: 500 }, call)).entries;
  }

  /** Waits until the entries whose path begins so are as wanted, and gives them. */
  async until(
    what: string,
    prefix: string,
    wanted: (entries: readonly types.Entry[]) => boolean,
  ): Promise<readonly types.Entry[]> {
    let last: readonly types.Entry[] = [];
    const look = async () => {
      last = (await this.entries()).filter(({ spiffeId }) => spiffeId?.path.startsWith(prefix));
      return wanted(last) ? last : undefined;
    };
    return eventually(what, look, 20).catch((error: Error) => {
      const shown = last.map(({ id, spiffeId }) => `${id} ${spiffeId?.path}`).join('\n');
      throw new Error(`${error.message}; there are\n${shown}\n${this.server.process.tail(15)}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#site.close(false);
  }
}

/** An object of spire-controller-manager's kinds. */
export const registration = (kind: string, name: string, spec: object): KubernetesObject => ({
  apiVersion: 'spire.spiffe.io/v1alpha1',
  kind,
  metadata: { name },
  spec,
});

const applyManifest = (cluster: Cluster, name: string): Promise<string> =>
  cluster.kubectl(['apply', '-f', join(CHECKOUT, 'deploy/kubernetes', name)]);

const established = (cluster: Cluster, name: string): Promise<unknown> =>
  eventually(
    `the CRD ${name}`,
    async () => {
      const { status } = await cluster.api.get({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name },
      });
      const { conditions = [] } = status as { conditions?: { type: string; status: string }[] };
      return conditions.some((one) => one.type === 'Established' && one.status === 'True') || undefined;
    },
    20,
  );

const accountObjects = (): KubernetesObject[] => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT } },
  ...ROLES.map((name) => ({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: 'default' }],
  })),
];

const writeKubeconfig = async (cluster: Cluster, folder: string): Promise<string> => {
  const token = (await cluster.kubectl(['create', 'token', ACCOUNT, '--duration=2h'])).trim();
  const path = join(folder, 'kubeconfig');
  const config = {
    'current-context': 'it',
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    clusters: [{ name: 'it', cluster: { server: cluster.apiUrl, 'certificate-authority': cluster.certificates.ca } }],
    users: [{ name: 'it', user: { token } }],
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
};
