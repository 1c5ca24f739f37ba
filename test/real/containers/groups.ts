// Processes of the machine in control groups with a name of choice, as whoever may make groups could have them.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  const [shell = '', ...args] = await insideGroup(group, namespace ? ['unshare', '--cgroup', ...command] : command);
  const { code, output } = await run(shell, args);
  if (code !== 0) throw new Error(`${command.at(-1)}: ${output}`);
  return output;
}

/** Ends every process in the group and below, wherever it has gone otherwise. */
export async function killGroup(group: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const pids = (await Promise.all((await foldersOf(group)).map(processesIn))).flat();
    if (pids.length === 0) return;
    for (const pid of new Set(pids)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {}
    }
    await sleep(50);
  }
}

/** The command, so that it and all that it starts are in the group, as far as nothing moves them. */
export async function insideGroup(group: string, command: readonly string[]): Promise<readonly string[]> {
  await moveTo(group);
  const files = (await foldersOf(group)).map((folder) => `echo $$ >${folder}/cgroup.procs`);
  return ['sh', '-c', `${files.join(' && ')} && exec "$@"`, 'sh', ...command];
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

async function processesIn(folder: string): Promise<readonly number[]> {
  const pids = (await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const below = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const more = below.filter((each) => each.isDirectory()).map((each) => processesIn(join(folder, each.name)));
  return [...pids.map(Number), ...(await Promise.all(more)).flat()];
}

async function removeTree(folder: string): Promise<void> {
  const inside = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const each of inside) if (each.isDirectory()) await removeTree(join(folder, each.name));
  await rmdir(folder).catch(() => undefined);
}
