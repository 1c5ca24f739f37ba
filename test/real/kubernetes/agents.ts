// A server of ours in the cluster's network with two agents of its node, ours and SPIRE's, that know workloads by the kubelet.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spireProgram } from '../../interop/peers/spire.ts';
import type { AgentUnit } from '../../interop/spire/agent-unit.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import { Site } from '../../interop/spire/site.ts';
import type { Block } from '../../interop/spire/write-hcl.ts';
import type { Cluster } from './cluster.ts';

export class Agents implements AsyncDisposable {
  readonly server: ServerUnit;
  readonly ours: AgentUnit;
  readonly spires: AgentUnit;
  /** How the kubelet is asked: by its secure port with a token that may see its pods. */
  readonly kubelet: Block;
  /** SPIRE's program, which is a client too: it runs in pods that mount `mounts`. */
  readonly client: string;
  readonly mounts: readonly string[];
  readonly #site: Site;

  private constructor(
    site: Site,
    server: ServerUnit,
    agents: readonly [AgentUnit, AgentUnit],
    kubelet: Block,
    client: string,
  ) {
    this.#site = site;
    this.server = server;
    [this.ours, this.spires] = agents;
    this.kubelet = kubelet;
    this.client = client;
    this.mounts = ['/usr:ro', `${client}:ro`, ...agents.map(({ dir }) => join(dir, 'run'))];
  }

  static async start(cluster: Cluster): Promise<Agents> {
    const client = await spireProgram('spire-agent');
    const site = await Site.open(['nsenter', '-t', `${cluster.namespaces.pid}`, '-n', '--']);
    try {
      const kubelet = await kubeletAccess(cluster, join(site.dir, 'token'));
      const server = await site.server('steeple');
      const plugins = { WorkloadAttestor: { k8s: kubelet } };
      const ours = await site.agent('steeple', server, { plugins });
      const spires = await site.agent('spire', server, { plugins });
      return new Agents(site, server, [ours, spires], kubelet, client);
    } catch (error) {
      await site.close(false);
      throw error;
    }
  }

  /** The command that tells the X509-SVIDs that a workload gets, once. */
  fetch(agent: AgentUnit): readonly string[] {
    return [this.client, 'api', 'fetch', 'x509', '-socketPath', agent.socket, '-output', 'json'];
  }

  /** The command of a workload that stays, and asks again and again. */
  watch(agent: AgentUnit): readonly string[] {
    return [this.client, 'api', 'watch', '-socketPath', agent.socket];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#site.close(false);
  }
}

/** The rights that an agent needs, and no more, in a token. */
async function kubeletAccess(cluster: Cluster, token: string): Promise<Block> {
  const name = 'steeple-agent';
  const of = { metadata: { name } };
  const rbac = 'rbac.authorization.k8s.io';
  await cluster.api.apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', ...of },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      ...of,
      rules: [{ apiGroups: [''], resources: ['nodes/pods', 'namespaces'], verbs: ['get'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      ...of,
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }],
    },
  );
  await writeFile(token, await cluster.kubectl(['create', 'token', name]), { mode: 0o600 });
  return { token_path: token, kubelet_ca_path: cluster.certificates.ca, node_name: cluster.address };
}

/** The selectors of SPIRE's own, of the last time its agent attested that process. */
export async function spireSelectors(agent: AgentUnit, pid: number): Promise<readonly string[]> {
  const line = new RegExp(`PID attested to have selectors.* pid=${pid} .*selectors=("(?:[^"\\\\]|\\\\.)*")`);
  const [, quoted = '""'] = await agent.process.line(line, 45);
  const text = JSON.parse(quoted) as string;
  const found = [...text.matchAll(/type:"k8s"\s+value:("(?:[^"\\]|\\.)*")/g)];
  return found.map(([, value = '""']) => JSON.parse(value) as string);
}
