// The network, mounts and processes of one cluster node, apart from the machine's.
import { mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Skip } from '../../interop/case.ts';
import { type Finished, Process, run } from '../../stack/process.ts';

/** What kubelet sets for the whole machine. It finds files there that hold the wanted values, and writes nothing. */
const SYSCTLS: Readonly<Record<string, number>> = {
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
};

export interface NodeNetwork {
  /** Of the node in its own bridge, and the bridge's width. */
  readonly address: string;
  readonly services: string;
}

/**
 * Namespaces held open by one process, the first of its own pid namespace: when it ends, whatever was started in here ends,
 * and it ends with this program, however that ends.
 */
export class NodeNamespaces implements AsyncDisposable {
  /** Of the process that holds them, as the machine sees it; `/proc/<pid>/root` is the node's file system. */
  readonly pid: number;
  readonly #holder: Process;
  readonly #started = new Set<Process>();

  private constructor(holder: Process, pid: number) {
    this.#holder = holder;
    this.pid = pid;
  }

  /** @throws {Skip} where this user or machine may not have namespaces */
  static async start(folder: string, network: NodeNetwork): Promise<NodeNamespaces> {
    if (process.getuid?.() !== 0) throw new Skip('needs root, for namespaces');
    const flags = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];
    const script = join(folder, 'node.sh');
    await writeFile(script, await mounting(folder, network));
    const args = ['--pdeathsig', 'KILL', 'unshare', ...flags, 'sh', script];
    const holder = new Process('node', 'setpriv', args);
    try {
      await holder.line(/^ready$/m, 30);
    } catch (error) {
      await holder.stop('SIGKILL');
      throw new Skip(`namespaces cannot be had here: ${(error as Error).message}`);
    }
    const parent = holder.child.pid;
    const pid = (await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).trim();
    return new NodeNamespaces(holder, Number(pid));
  }

  /** Starts a program in all of the node's namespaces. */
  start(name: string, command: string, args: readonly string[]): Process {
    // The program is a child of nsenter's, which passes no signal on: it gets one when nsenter ends.
    const inside = ['setpriv', '--pdeathsig', 'TERM', command, ...args];
    return this.#keep(new Process(name, 'nsenter', ['-t', `${this.pid}`, '-m', '-n', '-p', '--', ...inside]));
  }

  /** Starts a program of the machine, with its files and pids, in the node's network. */
  startInNetwork(name: string, command: string, args: readonly string[], env = process.env): Process {
    return this.#keep(new Process(name, 'nsenter', ['-t', `${this.pid}`, '-n', '--', command, ...args], { env }));
  }

  /** Runs a command in all of the node's namespaces to its end; `input` is a file. */
  run(command: string, args: readonly string[], input = '/dev/null'): Promise<Finished> {
    const reading = ['sh', '-c', 'exec "$@" <"$0"', input, command, ...args];
    return run('nsenter', ['-t', `${this.pid}`, '-m', '-n', '-p', '--', ...reading]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The kernel ends all others of a pid namespace with its first, and waits for them.
    await this.#holder.stop('SIGKILL');
    for (const each of this.#started) await each.stop('SIGKILL');
    await this.#gone();
  }

  #keep(process: Process): Process {
    this.#started.add(process);
    void process.ended.then(() => this.#started.delete(process));
    return process;
  }

  async #gone(): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      const left = await readdir(`/proc/${this.pid}/task`).catch(() => []);
      if (left.length === 0) return;
      await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error(`the node's first process ${this.pid} does not end`);
  }
}

/** The script of the first process. Usual paths inside, the folder's behind them. */
async function mounting(folder: string, { address, services }: NodeNetwork): Promise<string> {
  for (const name of ['lib', 'lib-work', 'containerd', 'kubelet', 'log', 'etcd', 'sysctl'])
    await mkdir(join(folder, name), { recursive: true });
  const covered: string[] = [];
  for (const [name, value] of Object.entries(SYSCTLS)) {
    const file = join(folder, 'sysctl', name.replaceAll('/', '-'));
    await writeFile(file, `${value}\n`);
    covered.push(`mount -n --bind ${file} /proc/sys/${name}`);
  }
  return `set -e
mount -n -t overlay -o lowerdir=/var/lib,upperdir=${folder}/lib,workdir=${folder}/lib-work overlay /var/lib
mkdir -p /var/lib/containerd /var/lib/kubelet
mount -n --bind ${folder}/containerd /var/lib/containerd
mount -n --bind ${folder}/kubelet /var/lib/kubelet
mount -n --bind ${folder}/log /var/log
mount -n -t tmpfs -o mode=755 run /run
mount -n -t tmpfs -o mode=700 etcd ${folder}/etcd
${covered.join('\n')}
mount -n --make-rshared /
ip link set lo up
ip link add cni0 type bridge
ip addr add ${address}/24 dev cni0
ip link set cni0 up
ip route add ${services} dev cni0
echo ready
while :; do sleep 1000; done
`;
}

/** Removes what a node left in its folder; mounts went with the namespaces. */
export async function removeNodeFiles(folder: string): Promise<void> {
  await rm(await realpath(folder), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
