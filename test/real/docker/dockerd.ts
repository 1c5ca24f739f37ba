// Docker's engine with everything in a folder of its own, and nothing of it in the machine's network.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../interop/spire/checks.ts';
import type { Process } from '../../stack/process.ts';
import type { ContainerEngine } from '../containers/container-engine.ts';
import { EngineSpace } from '../containers/engine-space.ts';
import { IMAGE_CHANGES, imageArchive } from '../containers/image.ts';
import { needPrograms, programPath } from '../debian-packages.ts';

/** Neither rules nor a bridge: containers have their loopback only. */
const QUIET = [
  '--iptables=false',
  '--ip6tables=false',
  '--bridge=none',
  '--ip-forward=false',
  '--ip-masq=false',
  '--userland-proxy=false',
];

export class Dockerd implements ContainerEngine {
  readonly name = 'docker';
  readonly image = 'shop/web:1';
  readonly socketPath: string;
  readonly #space: EngineSpace;
  readonly #folder: string;
  readonly #client: string;
  #daemon!: Process;

  private constructor(space: EngineSpace, folder: string, client: string) {
    this.#space = space;
    this.#folder = folder;
    this.#client = client;
    this.socketPath = join(folder, 'docker.sock');
  }

  /** @throws {Skip} where it cannot be had */
  static async start(folder: string): Promise<Dockerd> {
    await needPrograms(
      ['dockerd', '/usr/bin/docker', 'containerd', 'runc', 'nsenter', 'setpriv'],
      ['docker.io', 'containerd', 'runc', 'iptables', 'util-linux'],
    );
    const docker = new Dockerd(await EngineSpace.open('docker'), folder, '/usr/bin/docker');
    try {
      await mkdir(folder, { recursive: true });
      await docker.serve();
      await docker.command('import', ...IMAGE_CHANGES, await imageArchive(folder), docker.image);
      return docker;
    } catch (error) {
      await docker[Symbol.asyncDispose]();
      throw error;
    }
  }

  get parentGroup(): string {
    return this.#space.cgroup.path;
  }

  command(...args: readonly string[]): Promise<string> {
    return this.#space.run([this.#client, ...args], { DOCKER_HOST: `unix://${this.socketPath}` });
  }

  async serve(): Promise<void> {
    const at = (name: string) => join(this.#folder, name);
    const flags = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('docker.pid')];
    const own = ['--host', `unix://${this.socketPath}`, `--cgroup-parent=${this.parentGroup}`];
    // A daemon that was killed leaves it behind, and would believe it where nobody collects the dead.
    await rm(at('exec/containerd/containerd.pid'), { force: true });
    const program = (await programPath('dockerd')) ?? 'dockerd';
    this.#daemon = await this.#space.start('dockerd', [program, ...flags, ...own, ...QUIET]);
    await this.#daemon.line(/API listen on/, 60);
    await eventually('Docker answers', () => this.command('version').then(() => true));
  }

  async kill(): Promise<void> {
    await this.#daemon.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = await this.command('ps', '--all', '--quiet').catch(() => '');
    const ids = all.split('\n').filter((id) => id !== '');
    if (ids.length > 0) await this.command('rm', '--force', ...ids).catch(() => undefined);
    await this.#space[Symbol.asyncDispose]();
  }
}
