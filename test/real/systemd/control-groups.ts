import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** Where systemd keeps its groups: beside the old controllers, or in the one tree. */
export async function cgroupMounts(): Promise<readonly string[]> {
  const hybrid = ['systemd', 'unified'].map((name) => join(ROOT, name));
  const there = await Promise.all(
    hybrid.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return there.includes(true) ? hybrid.filter((_, index) => there[index]) : [ROOT];
}

/** Every process in the group and in those below it. */
export async function processesOf(group: string): Promise<readonly number[]> {
  const pids = (await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const below = await readdir(group, { withFileTypes: true }).catch(() => []);
  const more = below.filter((each) => each.isDirectory()).map((each) => processesOf(join(group, each.name)));
  return [...pids.map(Number), ...(await Promise.all(more)).flat()];
}
