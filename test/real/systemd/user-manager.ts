// A systemd of its own beside whatever runs this machine: a user manager with its own bus, in the machine's pid namespace.
import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { eventually } from '../../interop/spire/checks.ts';
import { Process, run } from '../../stack/process.ts';
import { cgroupMounts, processesOf } from './control-groups.ts';

export interface UserManagerOptions {
  /** Of its control group, which nothing else has. */
  readonly name: string;
  /** Where its sockets, units and files are. */
  readonly folder: string;
  /** Another Debian to take systemd and its bus from; by default this machine's. */
  readonly root?: string;
  /** Folders that its units need in there. */
  readonly binds?: readonly string[];
}

const repository = new URL('../../../', import.meta.url).pathname;

export class UserManager {
  readonly #options: UserManagerOptions;
  readonly #process: Process;

  /** Starts systemd and its bus. */
  static async start(options: UserManagerOptions): Promise<UserManager> {
    const { folder, name } = options;
    await mkdir(join(folder, 'systemd/user'), { recursive: true, mode: 0o700 });
    await mkdir(join(folder, 'run/system'), { recursive: true });
    await writeFile(join(folder, 'systemd/user/dbus.socket'), `[Socket]\nListenStream=${folder}/bus\n`);
    const bus = 'dbus-daemon --session --address=systemd: --nofork --nopidfile --systemd-activation';
    await writeFile(
      join(folder, 'systemd/user/dbus.service'),
      `[Unit]\nRequires=dbus.socket\n[Service]\nExecStart=/usr/bin/${bus}\n`,
    );
    for (const mount of await cgroupMounts()) await mkdir(join(mount, name), { recursive: true });
    const manager = new UserManager(options, new Process(`systemd ${name}`, 'bash', ['-c', await script(options)]));
    try {
      const isUp = async () => (await manager.systemctl('show', '--property=Version')).startsWith('Version=');
      await eventually('systemd runs', isUp);
      await manager.systemctl('start', 'dbus.socket', 'dbus.service');
      return manager;
    } catch (error) {
      const said = manager.#process.tail();
      await manager.stop();
      throw new Error(`systemd does not start: ${said}`, { cause: error });
    }
  }

  private constructor(options: UserManagerOptions, process: Process) {
    this.#options = options;
    this.#process = process;
  }

  get name(): string {
    return this.#options.name;
  }

  get busAddress(): string {
    return `unix:path=${this.#options.folder}/bus`;
  }

  get unitFolder(): string {
    return join(this.#options.folder, 'systemd/user');
  }

  get transientFolder(): string {
    return join(this.#options.folder, 'systemd/transient');
  }

  /** What a program needs to find this manager. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, XDG_RUNTIME_DIR: this.#options.folder, DBUS_SESSION_BUS_ADDRESS: this.busAddress };
  }

  async systemctl(...args: readonly string[]): Promise<string> {
    return (await run('systemctl', ['--user', ...args], { env: this.environment })).output.trim();
  }

  /** Starts a transient service. */
  async run(unit: string, ...command: readonly string[]): Promise<void> {
    const args = ['--user', '--quiet', `--unit=${unit}`, '--property=Restart=always', ...command];
    const { code, output } = await run('systemd-run', args, { env: this.environment });
    if (code !== 0) throw new Error(`${unit} does not start: ${output}`);
  }

  async mainPid(unit: string): Promise<number> {
    return Number(await this.systemctl('show', unit, '--property=MainPID', '--value'));
  }

  /** Ends it with everything it started. */
  async stop(): Promise<void> {
    this.#process.child.kill('SIGKILL');
    for (const mount of await cgroupMounts()) {
      const group = join(mount, this.#options.name);
      await eventually('no process is left', async () => {
        const pids = await processesOf(group);
        for (const pid of pids) process.kill(pid, 'SIGKILL');
        return pids.length === 0;
      });
      await removeGroups(group);
    }
    await this.#process.ended;
    await rm(this.#options.folder, { recursive: true, force: true });
  }
}

/** In mounts of its own: it runs only where it finds a folder that says that systemd does. */
async function script({ name, folder, root, binds = [] }: UserManagerOptions): Promise<string> {
  const enter = (await cgroupMounts()).map((mount) => `echo $BASHPID >${mount}/${name}/cgroup.procs`);
  const start = `env -i PATH=/usr/bin:/bin HOME=${folder} XDG_RUNTIME_DIR=${folder}`;
  const inside =
    root === undefined
      ? [`mount --bind ${folder}/run /run/systemd`, `exec ${start} /lib/systemd/systemd --user`]
      : [
          `mount --bind ${root} ${root}`,
          ...['/proc', '/sys', '/dev'].map((mount) => `mount --rbind ${mount} ${root}${mount}`),
          ...[repository, dirname(process.execPath), folder, ...binds].map(
            (bind) => `mkdir -p ${root}${bind}; mount --bind ${bind} ${root}${bind}`,
          ),
          `mkdir -p ${root}/run/systemd/system`,
          `exec chroot ${root} ${start} /lib/systemd/systemd --user`,
        ];
  return [...enter, `exec unshare --mount --propagation private bash -ec '${inside.join('; ')}'`].join('\n');
}

async function removeGroups(group: string): Promise<void> {
  for (const each of await readdir(group, { withFileTypes: true }).catch(() => [])) {
    if (each.isDirectory()) await removeGroups(join(group, each.name));
  }
  await eventually(`${group} is removed`, () =>
    rmdir(group).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    ),
  );
}
