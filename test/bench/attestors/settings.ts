import { run } from '../../stack/process.ts';
import { SELECTOR } from '../sites.ts';
import { unixAndDocker } from './docker-setting.ts';
import type { AttestorPlace, AttestorSetting } from './setting.ts';
import { unixAndSystemd } from './systemd-setting.ts';

/** In the order of the figures. */
export const settings: readonly AttestorSetting[] = [
  { name: 'unix', open: async () => plain({ unix: {} }) },
  {
    name: 'unix with path and digest of an executable of 120 MB',
    open: async () => plain({ unix: { discover_workload_path: true } }),
  },
  unixAndSystemd,
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
