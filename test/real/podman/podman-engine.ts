// Podman with everything in a folder of its own: of root, or of a user without any rights.
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askEngine } from '../../../plugins/src/workload-attestor/docker/ask-engine.ts';
import { eventually } from '../../interop/spire/checks.ts';
import type { Process } from '../../stack/process.ts';
import type { ContainerEngine } from '../containers/container-engine.ts';
import { EngineSpace } from '../containers/engine-space.ts';
import { IMAGE_CHANGES, imageArchive } from '../containers/image.ts';
import { needPrograms } from '../debian-packages.ts';

/** No limit above what this process may have, and no service manager. */
const CONFIGURATION = `[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
`;

export class PodmanEngine implements ContainerEngine {
  readonly name = 'podman';
  readonly image = 'localhost/shop/web:1';
  readonly socketPath: string;
  readonly #space: EngineSpace;
  readonly #folder: string;
  readonly #uid: number;
  #service!: Process;

  private constructor(space: EngineSpace, folder: string, uid: number) {
    this.#space = space;
    this.#folder = folder;
    this.#uid = uid;
    this.socketPath = join(folder, 'podman.sock');
  }

  /** @throws {Skip} where it cannot be had */
  static async start(folder: string, uid = 0): Promise<PodmanEngine> {
    await needPrograms(['podman', 'conmon', 'runc', 'nsenter', 'setpriv'], ['podman', 'conmon', 'runc', 'util-linux']);
    const podman = new PodmanEngine(await EngineSpace.open(`podman-${uid}`), folder, uid);
    try {
      await podman.#prepare();
      await podman.serve();
      const archive = await imageArchive(folder);
      await podman.command('import', '--quiet', ...IMAGE_CHANGES, archive, podman.image);
      return podman;
    } catch (error) {
      await podman[Symbol.asyncDispose]();
      throw error;
    }
  }

  get parentGroup(): string {
    return this.#space.cgroup.path;
  }

  command(...args: readonly string[]): Promise<string> {
    const [verb = '', ...rest] = args;
    // Root's containers are put below the group that is ours.
    const own = verb === 'run' && this.#uid === 0 && !args.includes('--cgroup-parent');
    const parent = own ? [`--cgroup-parent=${this.parentGroup}`] : [];
    // By default it waits for a first process that does not mind being asked to end.
    const hurry = verb === 'rm' ? ['--time', '0'] : [];
    return this.#space.run([...this.#program, verb, ...parent, ...hurry, ...rest], this.#environment);
  }

  async serve(): Promise<void> {
    const service = ['system', 'service', '--time', '0', `unix://${this.socketPath}`];
    this.#service = await this.#space.start('podman', [...this.#program, ...service], this.#environment);
    const ping = () => askEngine(this.socketPath, '/_ping', AbortSignal.timeout(2000));
    await eventually('podman serves', async () => (await ping()).status === 200);
  }

  async kill(): Promise<void> {
    await this.#service.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.command('pod', 'rm', '--force', '--all').catch(() => undefined);
    await this.command('rm', '--force', '--all').catch(() => undefined);
    // What holds a user's namespaces stays otherwise.
    if (this.#uid !== 0) await this.command('system', 'migrate').catch(() => undefined);
    await this.#space[Symbol.asyncDispose]();
  }

  get #program(): readonly string[] {
    const as = ['setpriv', '--reuid', `${this.#uid}`, '--regid', `${this.#uid}`, '--clear-groups'];
    const at = (name: string) => join(this.#folder, name);
    const flags = ['--root', at('root'), '--runroot', at('run'), '--tmpdir', at('tmp')];
    return [...(this.#uid === 0 ? [] : as), 'podman', ...flags];
  }

  get #environment() {
    const home = join(this.#folder, 'home');
    return { HOME: home, XDG_RUNTIME_DIR: this.#folder, CONTAINERS_CONF: join(this.#folder, 'containers.conf') };
  }

  async #prepare(): Promise<void> {
    for (const name of ['.', 'root', 'run', 'tmp', 'home']) {
      const path = join(this.#folder, name);
      await mkdir(path, { recursive: true });
      await chown(path, this.#uid, this.#uid);
      await chmod(path, 0o755);
    }
    await writeFile(join(this.#folder, 'containers.conf'), CONFIGURATION);
  }
}
