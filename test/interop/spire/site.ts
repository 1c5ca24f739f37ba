// Where one case runs: a folder of its own, and everything that was started there, stopped in reverse order.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Process } from '../../stack/process.ts';
import { type AgentOptions, AgentUnit } from './agent-unit.ts';
import type { Command, Maker } from './maker.ts';
import { type ServerOptions, ServerUnit } from './server-unit.ts';

export class Site {
  readonly dir: string;
  readonly #before: readonly string[];
  readonly #cleanUp: (() => unknown)[] = [];
  readonly #processes: Process[] = [];
  #units = 0;

  private constructor(dir: string, before: readonly string[]) {
    this.dir = dir;
    this.#before = before;
  }

  /** @param before - what stands before the command of each unit, such as `nsenter` for another network */
  static async open(before: readonly string[] = []): Promise<Site> {
    // Short: a socket's path may have 107 bytes.
    const dir = await mkdtemp('/tmp/st-i-');
    // Workloads of other users have to reach the sockets.
    await chmod(dir, 0o755);
    return new Site(dir, before);
  }

  /** Runs at the end, last in first out. */
  defer(cleanUp: () => unknown): void {
    this.#cleanUp.push(cleanUp);
  }

  /** Stops the process at the end, and keeps what it said if the case fails. */
  watch(process: Process): Process {
    this.#processes.push(process);
    this.defer(() => process.stop('SIGTERM', 5));
    return process;
  }

  /** Starts a unit. */
  start(name: string, { path, args }: Command, env = process.env): Process {
    const [command = path, ...rest] = [...this.#before, path, ...args];
    return this.watch(new Process(name, command, rest, { env }));
  }

  folder(name: string): string {
    this.#units += 1;
    return join(this.dir, `${name}${this.#units}`);
  }

  /** A running server. */
  async server(maker: Maker, options: ServerOptions = {}): Promise<ServerUnit> {
    const server = await ServerUnit.configure(this, maker, options);
    await server.start();
    return server;
  }

  /** A running agent of that server, attested by a certificate unless told otherwise. */
  async agent(maker: Maker, server: ServerUnit, options: AgentOptions = {}): Promise<AgentUnit> {
    const agent = await AgentUnit.configure(this, maker, server, options);
    await agent.start();
    return agent;
  }

  /** The same, not started. */
  idleAgent(maker: Maker, server: ServerUnit, options: AgentOptions = {}): Promise<AgentUnit> {
    return AgentUnit.configure(this, maker, server, options);
  }

  /** Ends everything. Returns where the logs are, if they are to be kept. */
  async close(keepLogs: boolean): Promise<string | undefined> {
    for (const cleanUp of this.#cleanUp.toReversed()) {
      await Promise.resolve(cleanUp()).catch(() => undefined);
    }
    if (!keepLogs) {
      await rm(this.dir, { recursive: true, force: true });
      return undefined;
    }
    for (const [index, { name, output }] of this.#processes.entries()) {
      await writeFile(join(this.dir, `${index}-${name}.log`), output);
    }
    return this.dir;
  }
}
