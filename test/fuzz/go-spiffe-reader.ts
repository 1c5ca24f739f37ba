import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { run } from '../stack/process.ts';

/** What go-spiffe makes of an input: what it read, or why it refused. */
export interface GoAnswer {
  readonly accepted: boolean;
  readonly text: string;
}

const SOURCE = join(import.meta.dirname, 'go-spiffe');
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'steeple-peers');
const HEADER = 5;

/** The Go program that reads with go-spiffe, built when there is a Go; else the reason why not. */
export async function buildGoSpiffe(): Promise<{ path: string } | { missing: string }> {
  const path = join(CACHE, 'fuzz-go-spiffe');
  if ((await run('go', ['version'])).code !== 0) return { missing: 'Go is not installed' };
  await mkdir(CACHE, { recursive: true });
  const built = await run('go', ['build', '-mod=readonly', '-o', path, '.'], { cwd: SOURCE });
  if (built.code !== 0) return { missing: `go build failed: ${built.output.trim().split('\n').at(-1)}` };
  await access(path);
  return { path };
}

/** A running reader: questions go in one after the other, answers come in the same order. */
export class GoSpiffeReader implements Disposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((answer: GoAnswer) => void)[] = [];
  #received: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#child = spawn(path, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  ask(kind: 'i' | 'b', input: Uint8Array): Promise<GoAnswer> {
    const header = Buffer.alloc(HEADER, kind);
    header.writeUInt32BE(input.length, 1);
    this.#child.stdin.write(Buffer.concat([header, input]));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= HEADER) {
      const end = HEADER + this.#received.readUInt32BE(1);
      if (this.#received.length < end) return;
      const accepted = this.#received[0] === '+'.charCodeAt(0);
      this.#waiting.shift()?.({ accepted, text: this.#received.toString('utf8', HEADER, end) });
      this.#received = this.#received.subarray(end);
    }
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}
