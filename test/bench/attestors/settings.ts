import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Skip } from '../../interop/case.ts';
import { needPrograms } from '../../real/debian-packages.ts';
import { UserManager } from '../../real/systemd/user-manager.ts';
import { run } from '../../stack/process.ts';
import { SELECTOR } from '../sites.ts';
import { unixAndDocker } from './docker-setting.ts';
import type { AttestorPlace, AttestorSetting } from './setting.ts';

/** In the order of the figures. */
export const settings: readonly AttestorSetting[] = [
  { name: 'unix', open: async () => plain({ unix: {} }) },
  {
    name: 'unix with path and digest of an executable of 120 MB',
    open: async () => plain({ unix: { discover_workload_path: true } }),
  },
  {
    name: 'unix and systemd',
    open: async (site) => {
      if (process.getuid?.() !== 0) throw new Skip('needs root, for a systemd of its own');
      await needPrograms(['systemd-run', 'dbus-daemon', 'unshare'], ['systemd', 'dbus', 'util-linux']);
      const folder = join(site.dir, 'systemd');
      await mkdir(folder);
      const systemd = await UserManager.start({ name: `steeple-bench-${process.pid}`, folder });
      site.defer(() => systemd.stop());
      return {
        plugins: { unix: {}, systemd: {} },
        env: { DBUS_SYSTEM_BUS_ADDRESS: systemd.busAddress },
        selector: 'systemd:id:load.service',
        run: async (command) => {
          await writeFile(
            join(systemd.unitFolder, 'load.service'),
            `[Service]\nType=oneshot\nExecStart=${command.join(' ')}\n`,
          );
          await systemd.systemctl('daemon-reload');
          await systemd.systemctl('start', 'load.service');
        },
      };
    },
  },
  unixAndDocker,
];

/** Any process of this user. */
function plain(plugins: AttestorPlace['plugins']): AttestorPlace {
  return {
    plugins,
    env: {},
    selector: SELECTOR,
    run: async ([program = '', ...args]) => {
      const { code, output } = await run(program, args);
      if (code !== 0) throw new Error(output);
    },
  };
}
