import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Skip } from '../../interop/case.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import { Site } from '../../interop/spire/site.ts';
import { run } from '../../stack/process.ts';
import { needPrograms } from '../debian-packages.ts';
import type { OpenPart, RealPart } from '../real-part.ts';
import { casesOf } from './cases.ts';
import { debianTree } from './debian-tree.ts';
import type { Place } from './place.ts';
import { UserManager } from './user-manager.ts';

/** With `unix`, because SPIRE's agent is not healthy if its own process, which is in no unit, has no selectors at all. */
const PLUGINS = { WorkloadAttestor: { systemd: {}, unix: {} } };

/**
 * systemd as a user manager with a bus of its own: this machine's version, which knows processes by pid, and a newer
 * Debian's, which takes a pidfd. Nothing of the machine's own systemd, if it has one, is asked or changed.
 */
export const systemd: RealPart = {
  name: 'systemd',
  what: 'units of systemd, by name and by file, over D-Bus; this version and a newer one',
  open: async (folder): Promise<OpenPart> => {
    if (process.getuid?.() !== 0) throw new Skip('needs root, for mounts and control groups of its own');
    await needPrograms(['systemd-run', 'dbus-daemon', 'unshare'], ['systemd', 'dbus', 'util-linux']);
    const site = await Site.open();
    try {
      const server = await site.server('steeple');
      const places = [{ label: await versionIn('/'), place: await placeOf(site, server, join(folder, 'a')) }];
      const tree = await debianTree(folder);
      if (typeof tree === 'string')
        places.push({ label: await versionIn(tree), place: await placeOf(site, server, join(folder, 'b'), tree) });
      const cases = places.flatMap(({ label, place }) =>
        casesOf(place).map((each) => ({ name: `${label}, ${each.name}`, run: each.run })),
      );
      const missing =
        typeof tree === 'string' ? [] : [{ name: 'a newer systemd', run: () => Promise.reject(new Skip(tree.why)) }];
      return { cases: [...cases, ...missing], [Symbol.asyncDispose]: async () => void (await site.close(false)) };
    } catch (error) {
      await site.close(false);
      throw error;
    }
  },
};

async function placeOf(site: Site, server: ServerUnit, folder: string, root?: string): Promise<Place> {
  await mkdir(folder);
  const options = { name: `steeple-${process.pid}-${basename(folder)}`, folder, binds: [site.dir] };
  const systemd = await UserManager.start(root === undefined ? options : { ...options, root });
  site.defer(() => systemd.stop());
  // As an operator would tell either agent.
  const env = { DBUS_SYSTEM_BUS_ADDRESS: systemd.busAddress };
  const agentOf = (maker: 'steeple' | 'spire') => site.agent(maker, server, { plugins: PLUGINS, env });
  const agent = await agentOf('steeple');
  const spire = await agentOf('spire').catch((error: unknown) => {
    if (error instanceof Skip) return undefined;
    throw error;
  });
  const version = Number.parseInt((await systemd.systemctl('show', '--property=Version', '--value')) || '0', 10);
  return { site, systemd, agent, spire, takesPidfd: version >= 253 };
}

async function versionIn(root: string): Promise<string> {
  const { output } = await run('chroot', [root, 'systemctl', '--version']);
  return output.split('\n')[0]?.split(' ').slice(0, 2).join(' ') ?? 'systemd';
}
