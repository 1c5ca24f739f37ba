// Where an engine runs: mounts and network of its own, control groups of its own, but the machine's pids, as in life.
import { setTimeout as sleep } from 'node:timers/promises';
import { Skip } from '../../interop/case.ts';
import { Process, run } from '../../stack/process.ts';
import { CgroupRoot } from '../kubernetes/cgroup-root.ts';
import { insideGroup, killGroup } from './groups.ts';

/** That any command may take. */
const SECONDS = 90;

export type Environment = Readonly<Record<string, string>>;

export class EngineSpace implements AsyncDisposable {
  /** The groups of its containers are below this one. */
  readonly cgroup: CgroupRoot;
  readonly #holder: Process;
  readonly #started: Process[] = [];

  private constructor(cgroup: CgroupRoot, holder: Process) {
    this.cgroup = cgroup;
    this.#holder = holder;
  }

  /** @throws {Skip} where this user or machine may not have namespaces */
  static async open(name: string): Promise<EngineSpace> {
    if (process.getuid?.() !== 0) throw new Skip('needs root, for namespaces and control groups');
    const script = 'echo ready; exec sleep infinity';
    const args = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--net', '--propagation', 'private', 'sh', '-c', script];
    const holder = new Process('namespaces', 'setpriv', args);
    try {
      await holder.line(/^ready$/m, 20);
      return new EngineSpace(await CgroupRoot.create(`steeple-${process.pid}-${name}`), holder);
    } catch (error) {
      await holder.stop('SIGKILL');
      throw new Skip(`namespaces and control groups cannot be had here: ${(error as Error).message}`);
    }
  }

  /** Starts a program in there, which ends with this one. */
  async start(name: string, command: readonly string[], environment: Environment = {}): Promise<Process> {
    const [shell = '', ...args] = await this.#inside('setpriv', '--pdeathsig', 'TERM', ...command);
    const process = new Process(name, shell, args, { env: withOwn(environment) });
    this.#started.push(process);
    return process;
  }

  /** Runs a command in there to its end, which must not be far, and gives what it says. */
  async run(command: readonly string[], environment: Environment = {}): Promise<string> {
    const [shell = '', ...args] = await this.#inside('timeout', '--kill-after', '5', `${SECONDS}`, ...command);
    const { code, output } = await run(shell, args, { env: withOwn(environment) });
    if (code !== 0) throw new Error(`${command.slice(0, 3).join(' ')} … failed (${code}): ${output.trim()}`);
    return output.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#started) process.child.kill('SIGTERM');
    for (let tries = 0; tries < 200 && this.#started.some((process) => process.running); tries++) await sleep(100);
    // What has left its parent: monitors, what holds a user's namespaces, containers that would not go.
    await killGroup(this.cgroup.path);
    for (const process of this.#started) await process.stop('SIGKILL');
    await this.#holder.stop('SIGKILL');
    await this.cgroup[Symbol.asyncDispose]();
  }

  #inside(...command: readonly string[]): Promise<readonly string[]> {
    const namespaces = ['nsenter', '-t', `${this.#holder.child.pid}`, '-m', '-n', '--'];
    return insideGroup(`${this.cgroup.path}/engine`, [...namespaces, ...command]);
  }
}

/** Nothing of what the caller may have set for engines of their own. */
function withOwn(environment: Environment): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '/root' } = process.env;
  return { PATH: `${PATH}:/usr/local/sbin:/usr/sbin:/sbin`, HOME, ...environment };
}
