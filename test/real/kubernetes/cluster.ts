// A real Kubernetes of one node, all of it in namespaces, cgroups and folders of its own.
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { kubernetesPrograms } from '../../interop/peers/kubernetes.ts';
import type { Finished, Process } from '../../stack/process.ts';
import { needPrograms } from '../debian-packages.ts';
import { ApiClient } from './api-client.ts';
import { CgroupRoot } from './cgroup-root.ts';
import { ClusterCertificates } from './cluster-certificates.ts';
import {
  type ClusterParts,
  issueAll,
  startApiserver,
  startControllerManager,
  startEtcd,
  startScheduler,
} from './control-plane.ts';
import { busyboxRoot, type Image, writeImage } from './image.ts';
import { NodeNamespaces, removeNodeFiles } from './node-namespaces.ts';
import { startContainerd, startKubelet, startProxy } from './node-services.ts';

const NETWORK = { address: '10.77.0.1', services: '10.96.0.0/16' };
const PROGRAMS = ['etcd', 'openssl', 'ip', 'tar', 'unshare', 'nsenter', 'setpriv'];
const NODE_PROGRAMS = ['containerd', 'ctr', 'runc', 'busybox', 'nft', '/usr/lib/cni/bridge'];
const PACKAGES = ['etcd-server', 'openssl', 'iproute2', 'tar', 'util-linux'];
const NODE_PACKAGES = ['containerd', 'runc', 'busybox-static', 'nftables', 'containernetworking-plugins'];

export interface ClusterOptions {
  /** Only etcd, apiserver and controller-manager: enough for tokens, custom objects and bundles. */
  readonly apiOnly?: boolean;
}

export class Cluster implements AsyncDisposable {
  readonly folder: string;
  readonly nodeName: string;
  /** Of the node and the API, in the cluster's own network. */
  readonly address = NETWORK.address;
  readonly apiUrl = `https://${NETWORK.address}`;
  readonly kubeletPort = 10250;
  readonly kubeletReadOnlyPort = 10255;
  readonly certificates: ClusterCertificates;
  readonly namespaces: NodeNamespaces;
  readonly api: ApiClient;
  /** Of the administrator. */
  kubeconfig = '';
  /** By name: etcd, apiserver, controller-manager, and of a node scheduler, containerd, kubelet, proxy. */
  readonly processes = new Map<string, Process>();
  /** A file in here is a static pod. */
  readonly manifests: string;
  readonly #parts: ClusterParts;
  readonly #cgroups: CgroupRoot;

  private constructor(parts: ClusterParts, cgroups: CgroupRoot) {
    this.#parts = parts;
    this.#cgroups = cgroups;
    this.folder = parts.folder;
    this.nodeName = parts.nodeName;
    this.namespaces = parts.namespaces;
    this.certificates = parts.certificates;
    this.manifests = join(parts.folder, 'manifests');
    this.api = new ApiClient(join(parts.folder, 'api.sock'));
  }

  /**
   * Brings it up under a new or empty folder, with a path that has no unusual characters. Disposing it removes the folder.
   *
   * @throws {Skip} where this machine cannot have it
   */
  static async start(folder: string, { apiOnly = false }: ClusterOptions = {}): Promise<Cluster> {
    const node = apiOnly ? { programs: [], packages: [] } : { programs: NODE_PROGRAMS, packages: NODE_PACKAGES };
    await needPrograms([...PROGRAMS, ...node.programs], [...PACKAGES, ...node.packages]);
    const programs = await kubernetesPrograms();
    await mkdir(folder, { recursive: true });
    const namespaces = await NodeNamespaces.start(folder, NETWORK);
    const cgroups = await CgroupRoot.create(`steeple-${process.pid}-${basename(folder)}`);
    const certificates = await ClusterCertificates.create(join(folder, 'pki'));
    const parts = { folder, programs, namespaces, certificates, nodeName: 'node1', ...NETWORK };
    const cluster = new Cluster(parts, cgroups);
    try {
      await cluster.#startApi();
      if (!apiOnly) await cluster.#startNode();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** The folder of Kubernetes' programs. */
  get programs(): string {
    return this.#parts.programs;
  }

  /** In `/proc/<pid>/cgroup` the first part of the paths of all pods. */
  get cgroupRoot(): string {
    return this.#cgroups.path;
  }

  /** The path of one of Kubernetes' programs. */
  program(name: string): string {
    return join(this.#parts.programs, name);
  }

  /** Runs kubectl as the administrator; `input` is a file for `-f -`. */
  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const { code, output } = await this.run(this.program('kubectl'), ['--kubeconfig', this.kubeconfig, ...args], input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${code}:\n${output}`);
    return output;
  }

  /** Runs a command with the node's network, mounts and processes. */
  run(command: string, args: readonly string[], input?: string): Promise<Finished> {
    return this.namespaces.run(command, args, input);
  }

  /** Makes an image of a root file system; pods find it by its name. */
  async loadImage(root: string, image: Image): Promise<void> {
    const archive = join(this.folder, 'image.tar');
    await writeImage(archive, root, image);
    const imported = await this.#ctr(['images', 'import', archive]);
    const [, reference, digest] = imported.match(/^unpacking (\S+) \((sha256:[0-9a-f]+)\)/m) ?? [];
    if (reference === undefined) throw new Error(`containerd took the image otherwise than expected:\n${imported}`);
    // Named by digest too, a pod's status tells its image id as that of a pulled one.
    await this.#ctr(['images', 'tag', '--force', reference, `${reference.replace(/:[^:/]*$/, '')}@${digest}`]);
  }

  /** Stops kubelet and starts it again, by default as it was. */
  async restartKubelet(): Promise<void> {
    await this.processes.get('kubelet')?.stop();
    await this.#startKubelet();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.namespaces[Symbol.asyncDispose]();
    await this.#cgroups[Symbol.asyncDispose]();
    await removeNodeFiles(this.folder);
  }

  async #startApi(): Promise<void> {
    const parts = this.#parts;
    this.processes.set('etcd', startEtcd(parts));
    await issueAll(parts);
    this.kubeconfig = await parts.certificates.kubeconfig('admin', this.apiUrl);
    const apiserver = startApiserver(parts);
    this.processes.set('apiserver', apiserver);
    const socket = ['proxy', '--unix-socket', join(this.folder, 'api.sock'), '--kubeconfig', this.kubeconfig];
    this.processes.set('api-proxy', this.namespaces.start('api-proxy', this.program('kubectl'), socket));
    await this.#until('the API', apiserver, () => this.api.call('GET', '/readyz'));
    const kubeconfig = await parts.certificates.kubeconfig('controller-manager', this.apiUrl);
    const manager = startControllerManager(parts, kubeconfig);
    this.processes.set('controller-manager', manager);
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
    await this.#until('the ServiceAccount "default"', manager, () => this.api.get(account));
  }

  async #startNode(): Promise<void> {
    const parts = this.#parts;
    const containerd = await startContainerd(parts);
    this.processes.set('containerd', containerd);
    for (const [name, start] of [
      ['scheduler', startScheduler],
      ['proxy', startProxy],
    ] as const)
      this.processes.set(name, start(parts, await parts.certificates.kubeconfig(name, this.apiUrl)));
    const root = join(this.folder, 'busybox');
    await busyboxRoot(root);
    await this.#until('containerd', containerd, () => this.#ctr(['version']));
    const pause = ['/bin/sh', '-c', 'trap exit TERM INT; sleep 2000000000 & wait'];
    await this.loadImage(root, { name: 'pause:1', command: pause });
    await this.loadImage(root, { name: 'busybox:1', command: ['/bin/sh'] });
    await this.#startKubelet();
  }

  async #startKubelet(): Promise<void> {
    const kubeconfig = await this.certificates.kubeconfig('kubelet', this.apiUrl);
    const options = { kubeconfig, cgroupRoot: this.cgroupRoot, manifests: this.manifests };
    const kubelet = await startKubelet(this.#parts, options);
    this.processes.set('kubelet', kubelet);
    const ready = ['wait', '--for=condition=Ready', `node/${this.nodeName}`, '--timeout=2s'];
    await this.#until('the node', kubelet, () => this.kubectl(ready));
  }

  async #ctr(args: readonly string[]): Promise<string> {
    const { code, output } = await this.run('ctr', ['-n', 'k8s.io', ...args]);
    if (code !== 0) throw new Error(`ctr ${args.join(' ')} exited with ${code}:\n${output}`);
    return output;
  }

  async #until(what: string, of: Process, ask: () => Promise<unknown>): Promise<void> {
    const end = Date.now() + 120_000;
    for (;;) {
      try {
        return void (await ask());
      } catch (error) {
        if (!of.running || Date.now() > end)
          throw new Error(`${what} did not come: ${(error as Error).message}\n${of.tail(10)}`, { cause: error });
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  }
}
