// Processes of the machine in control groups with a name of choice, as whoever may make groups could have them.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../../interop/peers/cache.ts';
import { run } from '../../stack/process.ts';

const MOUNTED = '/sys/fs/cgroup';
const QUIET = '--disable-warning=ExperimentalWarning';

/** Makes the group in every hierarchy and moves those processes into it. */
export async function moveTo(group: string, ...pids: readonly number[]): Promise<void> {
  for (const folder of await foldersOf(group)) {
    await makeGroup(folder);
    for (const pid of pids) await writeFile(join(folder, 'cgroup.procs'), String(pid));
  }
}

/** Asks the agent from a group. Returns what the workload said. */
export async function workloadInGroup(group: string, socket: string): Promise<string> {
  const command = [process.execPath, QUIET, join(import.meta.dirname, 'workload.ts'), socket, 'once'];
  return await runInGroup(group, command);
}

/** Runs a command to its end in a group; with `namespace`, in a cgroup namespace whose root that group is. */
export async function runInGroup(group: string, command: readonly string[], namespace = false): Promise<string> {
  await moveTo(group);
  const files = (await foldersOf(group)).map((folder) => `echo $$ >${folder}/cgroup.procs`);
  const inside = namespace ? ['unshare', '--cgroup', ...command] : command;
  const { code, output } = await run('sh', ['-c', `${files.join(' && ')} && exec "$@"`, 'sh', ...inside]);
  if (code !== 0) throw new Error(`${command.at(-1)}: ${output}`);
  return output;
}

/** With all that is below it. Nothing may be in it any more. */
export async function removeGroup(group: string): Promise<void> {
  for (const folder of await foldersOf(group)) await removeTree(folder);
}

async function foldersOf(group: string): Promise<readonly string[]> {
  if (await exists(join(MOUNTED, 'cgroup.controllers'))) return [join(MOUNTED, group)];
  const mounts = (await readdir(MOUNTED)).map((name) => join(MOUNTED, name));
  const there = await Promise.all(mounts.map((mount) => exists(join(mount, 'cgroup.procs'))));
  return mounts.filter((_, index) => there[index]).map((mount) => join(mount, group));
}

/** A new cpuset of version 1 has neither processors nor memory, and takes no process. */
async function makeGroup(folder: string): Promise<void> {
  if (await exists(folder)) return;
  await makeGroup(join(folder, '..'));
  await mkdir(folder);
  if (folder.startsWith(`${MOUNTED}/cpuset/`)) await writeFile(join(folder, 'cgroup.clone_children'), '1');
  for (const file of ['cpuset.cpus', 'cpuset.mems']) await inherit(join(folder, '..', file), join(folder, file));
}

async function inherit(from: string, to: string): Promise<void> {
  const value = await readFile(from, 'utf8').catch(() => '');
  if (value.trim() !== '') await writeFile(to, value).catch(() => undefined);
}

async function removeTree(folder: string): Promise<void> {
  const inside = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const each of inside) if (each.isDirectory()) await removeTree(join(folder, each.name));
  await rmdir(folder).catch(() => undefined);
}
