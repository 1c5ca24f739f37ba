// Steeple in the cluster, from the manifests that users apply, with an image made of this checkout.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeImageRoot } from '../../../scripts/image.ts';
import { Skip } from '../../interop/case.ts';
import type { Cluster } from './cluster.ts';
import { CHECKOUT } from './pods.ts';

export const MANIFESTS = join(CHECKOUT, 'deploy/kubernetes');
/** What pods mount to reach the agent. */
export const AGENT_FOLDER = '/run/steeple/agent';
export const AGENT_SOCKET = `unix://${AGENT_FOLDER}/workload.sock`;
const VOLUME = '/var/lib/steeple-volume';

export class Deployed {
  readonly #cluster: Cluster;
  #page = '';

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  static async start(cluster: Cluster): Promise<Deployed> {
    const root = join(cluster.folder, 'steeple-image');
    await makeImageRoot(root);
    await cluster.loadImage(root, { name: 'steeple:0.1.0', command: ['steeple', 'help'] });
    const deployed = new Deployed(cluster);
    await deployed.#volume();
    await deployed.#follow(join(CHECKOUT, 'docs/kubernetes.md'));
    return deployed;
  }

  /** Does what the page says, from top to bottom, but for what is meant for elsewhere. */
  async #follow(page: string): Promise<void> {
    const text = await readFile(page, 'utf8');
    const blocks = [...text.matchAll(/(<!-- elsewhere: .* -->\n)?```sh\n([^]*?)```/g)];
    const commands = blocks.filter(([, elsewhere]) => elsewhere === undefined).map(([, , block]) => block ?? '');
    const { programs, kubeconfig } = this.#cluster;
    const head = `set -euxo pipefail\ncd ${CHECKOUT}\nexport PATH=${programs}:$PATH KUBECONFIG=${kubeconfig}\n`;
    const script = join(this.#cluster.folder, 'page.sh');
    await writeFile(script, head + commands.join('\n'));
    const { code, output } = await this.#cluster.run('bash', [script]);
    this.#page = output;
    if (code !== 0) throw new Error(`the page cannot be followed (${code}):\n${output}\n${await this.story()}`);
  }

  /** What the page's commands said. */
  get page(): string {
    return this.#page;
  }

  /** Until server and agent are as their manifests say. */
  async ready(): Promise<void> {
    for (const what of ['statefulset/steeple-server', 'daemonset/steeple-agent']) {
      await this.kubectl('rollout', 'status', what, '--timeout=120s').catch(async (error: Error) => {
        throw new Error(`${error.message}\n${await this.story()}`, { cause: error });
      });
    }
  }

  async restart(what: 'statefulset/steeple-server' | 'daemonset/steeple-agent'): Promise<void> {
    await this.kubectl('rollout', 'restart', what);
    await this.ready();
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return this.#cluster.kubectl(['-n', 'steeple', ...args]);
  }

  /** A command of spire-server's, as an administrator gives it in the server's pod. */
  server(...args: readonly string[]): Promise<string> {
    const socket = ['-socketPath', '/run/steeple/server/api.sock'];
    return this.kubectl('exec', 'steeple-server-0', '--', 'spire-server', ...args, ...socket);
  }

  /** The one agent. */
  async agentId(): Promise<string> {
    const uid = await this.#cluster.kubectl([
      'get',
      `node/${this.#cluster.nodeName}`,
      '-o',
      'jsonpath={.metadata.uid}',
    ]);
    return `spiffe://example.org/spire/agent/k8s_psat/demo/${uid}`;
  }

  async createEntry(id: string, selectors: readonly string[], ttl = 3600): Promise<void> {
    const flags = selectors.flatMap((selector) => ['-selector', selector]);
    const parent = await this.agentId();
    await this.server('entry', 'create', '-parentID', parent, '-spiffeID', id, '-x509SVIDTTL', String(ttl), ...flags);
  }

  /** What the pods are, and what they said last. */
  async story(): Promise<string> {
    const told = [
      ['get', 'pods', '-o', 'wide'],
      ['get', 'events', '--sort-by=.lastTimestamp'],
      ['logs', 'statefulset/steeple-server', '--tail=20'],
      ['logs', 'daemonset/steeple-agent', '--tail=20'],
    ];
    const parts = await Promise.all(told.map((args) => this.kubectl(...args).catch((error: Error) => error.message)));
    return parts.join('\n');
  }

  /** A volume for the server's claim: this cluster has nobody who makes them. */
  async #volume(): Promise<void> {
    const made = await this.#cluster.run('sh', [
      '-c',
      `mkdir -p ${VOLUME} && chown 10001:10001 ${VOLUME} && chmod 700 ${VOLUME}`,
    ]);
    if (made.code !== 0) throw new Skip(`the node cannot have a volume: ${made.output}`);
    await this.#cluster.api.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'steeple-server' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: VOLUME },
        claimRef: { namespace: 'steeple', name: 'data-steeple-server-0' },
      },
    });
  }
}
