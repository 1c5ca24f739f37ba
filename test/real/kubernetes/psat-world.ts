// Pods whose tokens agents show, and servers that judge them in the cluster's network.
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentUnit } from '../../interop/spire/agent-unit.ts';
import type { Maker } from '../../interop/spire/maker.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import { Site } from '../../interop/spire/site.ts';
import type { Block } from '../../interop/spire/write-hcl.ts';
import type { Process } from '../../stack/process.ts';
import type { Cluster } from './cluster.ts';
import { ISSUER } from './control-plane.ts';
import { createPod, type Pod, podOf } from './pods.ts';

const NAMESPACE = 'psat';
const ALLOWED = [`${NAMESPACE}:agent`];
const RBAC = 'rbac.authorization.k8s.io';

type Claims = Record<string, unknown>;

export class PsatWorld implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly site: Site;
  /** Of a server that may judge tokens and look pods and nodes up, and no more. */
  readonly kubeconfig: string;
  #tokens = 0;

  private constructor(cluster: Cluster, site: Site, kubeconfig: string) {
    this.cluster = cluster;
    this.site = site;
    this.kubeconfig = kubeconfig;
  }

  static async start(cluster: Cluster): Promise<PsatWorld> {
    const site = await Site.open(['nsenter', '-t', `${cluster.namespaces.pid}`, '-n', '--']);
    const { api } = cluster;
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    const account = (name: string) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: NAMESPACE },
    });
    const rules = [
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get'] },
    ];
    const of = { metadata: { name: 'psat-server' } };
    await api.apply(
      ...['agent', 'other', 'server'].map(account),
      { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', ...of, rules },
      {
        apiVersion: `${RBAC}/v1`,
        kind: 'ClusterRoleBinding',
        ...of,
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'psat-server' },
        subjects: [{ kind: 'ServiceAccount', name: 'server', namespace: NAMESPACE }],
      },
    );
    return new PsatWorld(cluster, site, await kubeconfigOf(cluster, site.dir));
  }

  /** Settings of a cluster that SPIRE knows too. */
  settings(more: Block = {}): Block {
    return { service_account_allow_list: ALLOWED, kube_config_file: this.kubeconfig, ...more };
  }

  server(maker: Maker, plugin: Block): Promise<ServerUnit> {
    return this.site.server(maker, { plugins: { NodeAttestor: { k8s_psat: plugin } } });
  }

  /** A running pod of a service account. */
  pod(name: string, serviceAccountName = 'agent'): Promise<Pod> {
    return createPod(
      this.cluster.api,
      podOf(name, { namespace: NAMESPACE, labels: { app: name }, spec: { serviceAccountName } }),
    );
  }

  /** A token as the kubelet gets it for the pod. */
  async token(pod: Pod | undefined, audience = 'spire-server', account = 'agent'): Promise<string> {
    const bound = pod === undefined ? [] : ['--bound-object-kind=Pod', `--bound-object-name=${pod.metadata.name}`];
    const asked = ['create', 'token', account, '-n', NAMESPACE, `--audience=${audience}`, ...bound];
    return (await this.cluster.kubectl(asked)).trim();
  }

  /** The token with other claims, signed by the cluster's key or another one. */
  async signed(token: string, changes: Claims, by?: KeyObject): Promise<string> {
    const [header = '', payload = ''] = token.split('.');
    const claims = { ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims), ...changes };
    const text = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    const key = by ?? createPrivateKey(await readFile(this.cluster.certificates.tokenKey));
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  }

  foreignKey(): KeyObject {
    return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  }

  /** An agent that shows the token, running and attested. */
  async attest(maker: Maker, server: ServerUnit, cluster: string, token: string): Promise<AgentUnit> {
    const agent = await this.#agent(maker, server, cluster, token);
    await agent.start();
    return agent;
  }

  /** What an agent said to its operator when it was refused. */
  async refusal(maker: Maker, server: ServerUnit, cluster: string, token: string, expected: RegExp): Promise<void> {
    const agent = await this.#agent(maker, server, cluster, token);
    const process: Process = await agent.launch();
    try {
      await process.line(expected, 20);
    } finally {
      await process.stop('SIGKILL');
    }
  }

  async #agent(maker: Maker, server: ServerUnit, cluster: string, token: string): Promise<AgentUnit> {
    this.#tokens += 1;
    const path = join(this.site.dir, `token${this.#tokens}`);
    await writeFile(path, token);
    const plugins = { NodeAttestor: { k8s_psat: { cluster, token_path: path } } };
    return AgentUnit.configure(this.site, maker, server, { plugins });
  }

  /** The cluster's keys in a file, and its issuer. */
  async publishedKeys(): Promise<{ readonly jwks_file: string; readonly issuer: string }> {
    const path = join(this.site.dir, 'jwks.json');
    await writeFile(path, await this.cluster.kubectl(['get', '--raw', '/openid/v1/jwks']));
    return { jwks_file: path, issuer: ISSUER };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site.close(false);
  }
}

async function kubeconfigOf(cluster: Cluster, folder: string): Promise<string> {
  const token = join(folder, 'server-token');
  await writeFile(token, await cluster.kubectl(['create', 'token', 'server', '-n', NAMESPACE]), { mode: 0o600 });
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: cluster.apiUrl, 'certificate-authority': cluster.certificates.ca } }],
    users: [{ name: 'u', user: { tokenFile: token } }],
  };
  const path = join(folder, 'kubeconfig');
  await writeFile(path, JSON.stringify(config));
  return path;
}
