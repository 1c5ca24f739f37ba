// A child process as tests see it: its lines so far, a way to wait for one, and its end.
import { type ChildProcess, spawn } from 'node:child_process';

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
}

export class Process {
  readonly name: string;
  readonly child: ChildProcess;
  readonly ended: Promise<number>;
  #output = '';
  #waiters: {
    pattern: RegExp;
    from: number;
    found: (match: RegExpMatchArray) => void;
    failed: (why: Error) => void;
  }[] = [];

  constructor(name: string, command: string, args: readonly string[], options: ProcessOptions = {}) {
    this.name = name;
    this.child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#heard(text));
    }
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.#heard(`${error.message}\n`);
        resolve(127);
      });
      this.child.on('close', (code, signal) => {
        const why = new Error(`${name} ended (${signal ?? code}) before it said what was waited for:\n${this.tail()}`);
        for (const waiter of this.#waiters.splice(0)) waiter.failed(why);
        resolve(code ?? 128);
      });
    });
  }

  /** Everything written so far to standard output and standard error. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves with the first match of the pattern in what is written after `from` characters. */
  async line(pattern: RegExp, seconds = 20, from = 0): Promise<RegExpMatchArray> {
    const match = this.#output.slice(from).match(pattern);
    if (match !== null) return match;
    if (!this.running) throw new Error(`${this.name} is not running and never said ${pattern}:\n${this.tail()}`);
    return new Promise((found, failed) => {
      const timer = setTimeout(
        () => failed(new Error(`${this.name} did not say ${pattern} within ${seconds} s:\n${this.tail()}`)),
        seconds * 1000,
      );
      this.#waiters.push({
        pattern,
        from,
        found: (match) => {
          clearTimeout(timer);
          found(match);
        },
        failed: (why) => {
          clearTimeout(timer);
          failed(why);
        },
      });
    });
  }

  tail(lines = 30): string {
    return this.#output.trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Asks it to stop, insists after a while, and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', seconds = 10): Promise<number> {
    if (!this.running) return this.ended;
    this.child.kill(signal);
    const insist = setTimeout(() => this.child.kill('SIGKILL'), seconds * 1000);
    const code = await this.ended;
    clearTimeout(insist);
    return code;
  }

  #heard(text: string): void {
    this.#output += text;
    this.#waiters = this.#waiters.filter((waiter) => {
      const match = this.#output.slice(waiter.from).match(waiter.pattern);
      if (match === null) return true;
      waiter.found(match);
      return false;
    });
  }
}

export interface Finished {
  readonly code: number;
  readonly output: string;
}

/** Runs a command to its end. */
export async function run(command: string, args: readonly string[], options: ProcessOptions = {}): Promise<Finished> {
  const process = new Process(`${command} ${args[0] ?? ''}`, command, args, options);
  return { code: await process.ended, output: process.output };
}
