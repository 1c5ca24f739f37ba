// A cgroup of the cluster's own, in each hierarchy, so that several nodes can stand on one machine.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from '../../interop/peers/cache.ts';

const MOUNTED = '/sys/fs/cgroup';

export class CgroupRoot implements AsyncDisposable {
  /** As it is seen in `/proc/<pid>/cgroup`. */
  readonly path: string;
  readonly #folders: readonly string[];

  private constructor(path: string, folders: readonly string[]) {
    this.path = path;
    this.#folders = folders;
  }

  /** @param name - begins with `steeple-` and the pid of this program */
  static async create(name: string): Promise<CgroupRoot> {
    const unified = await exists(join(MOUNTED, 'cgroup.controllers'));
    const hierarchies = unified ? [MOUNTED] : (await readdir(MOUNTED)).map((each) => join(MOUNTED, each));
    const folders: string[] = [];
    for (const hierarchy of hierarchies) {
      if (!(await exists(join(hierarchy, 'cgroup.procs')))) continue;
      await removeLeftovers(hierarchy);
      const folder = join(hierarchy, name);
      await mkdir(folder, { recursive: true });
      folders.push(folder);
      for (const file of ['cpuset.cpus', 'cpuset.mems']) await inherit(hierarchy, folder, file);
    }
    return new CgroupRoot(`/${name}`, folders);
  }

  /** Puts a process into a group below. */
  async enter(pid: number, group: string): Promise<void> {
    for (const folder of this.#folders) {
      let made = folder;
      for (const part of group.split('/')) {
        const above = made;
        made = join(above, part);
        await mkdir(made, { recursive: true });
        for (const file of ['cpuset.cpus', 'cpuset.mems']) await inherit(above, made, file);
      }
      await writeFile(join(made, 'cgroup.procs'), String(pid));
    }
  }

  /** Puts a process back beside it. */
  async leave(pid: number): Promise<void> {
    for (const folder of this.#folders) await writeFile(join(dirname(folder), 'cgroup.procs'), String(pid));
  }

  /** For when its processes have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of this.#folders) await removeTree(folder);
  }
}

/** A new cpuset of version 1 has neither processors nor memory, and takes no process. */
async function inherit(from: string, to: string, file: string): Promise<void> {
  const value = await readFile(join(from, file), 'utf8').catch(() => '');
  if (value.trim() !== '') await writeFile(join(to, file), value);
}

/** What a program left that was killed; its processes ended with it. */
async function removeLeftovers(hierarchy: string): Promise<void> {
  for (const name of await readdir(hierarchy)) {
    const [, pid] = /^steeple-(?:bench-)?(\d+)(?:-|$)/.exec(name) ?? [];
    if (pid !== undefined && !(await exists(`/proc/${pid}`)))
      await removeTree(join(hierarchy, name), 0).catch(() => {});
  }
}

/** With so many tries: a process that was killed leaves its cgroup a moment later. */
async function removeTree(folder: string, most = 100): Promise<void> {
  const inside = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const each of inside) if (each.isDirectory()) await removeTree(join(folder, each.name), most);
  for (let tries = 0; ; tries++) {
    try {
      return await rmdir(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || tries >= most) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}
