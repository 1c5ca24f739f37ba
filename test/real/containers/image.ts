// An image without anything but places to mount on: containers run this machine's node and the checkout, read-only.
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../stack/process.ts';

const repository = new URL('../../../', import.meta.url).pathname;
const QUIET = '--disable-warning=ExperimentalWarning';

/** What is said to the engine beside the archive. */
export const IMAGE_CHANGES: readonly string[] = ['-c', 'LABEL from=image', '-c', 'ENV IMAGE=made-here'];

/** The archive of the image's files, to be imported. */
export async function imageArchive(folder: string): Promise<string> {
  const tree = join(folder, 'image');
  for (const name of ['etc', 'usr', 'tmp', 'agent']) await mkdir(join(tree, name), { recursive: true });
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(tree, name));
  await writeFile(join(tree, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n');
  const archive = join(folder, 'image.tar');
  const { code, output } = await run('tar', ['-C', tree, '-cf', archive, '.']);
  if (code !== 0) throw new Error(`tar: ${output}`);
  return archive;
}

/** What a container needs for programs of the checkout. */
export function programMounts(): readonly string[] {
  const folders = ['/usr', repository, dirname(process.execPath)];
  return [...new Set(folders)].flatMap((path) => ['-v', `${path}:${path}:ro`]);
}

/** The same, and the agent whose folder with the socket is mounted, for {@link workloadCommand}. */
export function mountsFor(socketPath: string): readonly string[] {
  return [...programMounts(), '-v', `${dirname(socketPath)}:/agent`];
}

/** Asks the agent that is mounted: once, or again and again. */
export function workloadCommand(how: 'once' | 'again'): readonly string[] {
  return [process.execPath, QUIET, join(import.meta.dirname, 'workload.ts'), '/agent/api.sock', how];
}
