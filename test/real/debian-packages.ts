import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { Skip } from '../interop/case.ts';
import { run } from '../stack/process.ts';

/** Where package programs lie; root's path may lack the second half. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The full path of a program, if it is there; a name with a slash in front is a full path already. */
export async function programPath(name: string): Promise<string | undefined> {
  for (const folder of name.startsWith('/') ? [''] : FOLDERS) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/**
 * Sees to it that the programs are there, from Debian's packages. Their services are not started.
 *
 * @throws {Skip} where that cannot be done
 */
export async function needPrograms(programs: readonly string[], packages: readonly string[]): Promise<void> {
  if ((await missing(programs)).length === 0) return;
  if (process.getuid?.() !== 0) throw new Skip(`needs root to install ${packages.join(', ')}`);
  if ((await programPath('apt-get')) === undefined)
    throw new Skip(`needs ${packages.join(', ')}, and there is no apt-get`);
  // At run level 1 packages install their services without starting them.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await run('apt-get', ['update', '-qq'], { env });
  const install = ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '-qq', '--no-install-recommends', ...packages];
  const { code, output } = await run('apt-get', install, { env });
  const absent = await missing(programs);
  if (code !== 0 || absent.length > 0)
    throw new Skip(
      `cannot install ${packages.join(', ')} (missing: ${absent.join(', ')}): ${output.trim().split('\n').at(-1)}`,
    );
}

async function missing(programs: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(programs.map(programPath));
  return programs.filter((_, index) => found[index] === undefined);
}
