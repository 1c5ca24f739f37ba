import { join } from 'node:path';
import { Skip } from '../../interop/case.ts';
import { run } from '../../stack/process.ts';
import { needPrograms } from '../debian-packages.ts';

const RELEASE = 'trixie';

/** The folder of a small Debian with a newer systemd, made in the folder given, or why there is none. */
export async function debianTree(folder: string): Promise<string | { readonly why: string }> {
  try {
    await needPrograms(['mmdebstrap'], ['mmdebstrap']);
  } catch (error) {
    if (error instanceof Skip) return { why: error.message };
    throw error;
  }
  const tree = join(folder, RELEASE);
  const args = ['--quiet', '--variant=minbase', '--include=systemd,dbus,systemd-sysv', RELEASE, tree];
  const { code, output } = await run('nice', ['mmdebstrap', ...args]);
  return code === 0 ? tree : { why: `mmdebstrap cannot make ${RELEASE}: ${output.trim().split('\n').at(-1)}` };
}
