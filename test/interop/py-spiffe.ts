import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../stack/process.ts';
import { ensure, type StackCase } from './case.ts';
import { pythonWithSpiffe } from './peers/clients.ts';

export const pySpiffeCases: readonly StackCase[] = [
  {
    name: 'py-spiffe: X.509 source through a rotation, JWT source, validation by the agent',
    run: async (stack) => {
      const python = await pythonWithSpiffe();
      const id = 'spiffe://example.org/python';
      const selectors = [`unix:path:${await realpath(python)}`];
      await stack.createEntry({ id, selectors, flags: ['--x509-svid-ttl', '8s'] });
      const script = join(import.meta.dirname, 'py_spiffe_rotation.py');
      const done = await run(python, [script, `unix://${stack.workloadSocket}`, id]);
      ensure(done.code === 0 && /^done$/m.test(done.output), `the script ends well, not: ${done.output}`);
    },
  },
];
