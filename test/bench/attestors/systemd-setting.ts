import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Skip } from '../../interop/case.ts';
import { needPrograms } from '../../real/debian-packages.ts';
import { UserManager } from '../../real/systemd/user-manager.ts';
import type { AttestorSetting } from './setting.ts';

/** A service of a systemd of its own, in which the workload runs. */
export const unixAndSystemd: AttestorSetting = {
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
};
