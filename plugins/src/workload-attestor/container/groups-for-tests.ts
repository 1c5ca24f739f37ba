import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where cgroup v2 is mounted. */
const root = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(join(path, 'cgroup.procs')));

/** Real control groups and processes in them, below one group that is the test's own. */
export class TestGroups {
  readonly #parent = newParent();
  readonly #made: string[] = [];
  readonly #children: ChildProcess[] = [];

  /** Not everybody may. */
  get canBeMade(): boolean {
    return this.#parent !== undefined;
  }

  /** A group that is called like a container, or somehow else. */
  create(name?: (id: string) => string): { readonly path: string; readonly id: string } {
    const id = randomBytes(32).toString('hex');
    const path = join(this.#parent ?? '', name?.(id) ?? id);
    let made = this.#parent ?? '';
    for (const part of path.slice(made.length + 1).split('/')) {
      made = join(made, part);
      if (existsSync(made)) continue;
      mkdirSync(made);
      this.#made.push(made);
    }
    return { path, id };
  }

  /** A process that runs until the end, in that group or where the test is. */
  spawn(group?: string): number {
    const child = spawn('sleep', ['1000']);
    this.#children.push(child);
    const { pid = 0 } = child;
    if (group !== undefined) this.move(pid, group);
    return pid;
  }

  move(pid: number, group: string): void {
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
  }

  kill(): void {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
  }

  async remove(): Promise<void> {
    this.kill();
    for (const group of [...this.#made.toReversed(), this.#parent]) if (group !== undefined) await removed(group);
  }
}

function newParent(): string | undefined {
  try {
    return root === undefined ? undefined : mkdtempSync(join(root, 'steeple-test-'));
  } catch {
    return undefined;
  }
}

/** A group can go only when its last process has. */
async function removed(group: string): Promise<void> {
  for (let tries = 0; existsSync(group); tries++) {
    try {
      rmdirSync(group);
    } catch (error) {
      if (tries > 200) throw error;
      await delay(10);
    }
  }
}
