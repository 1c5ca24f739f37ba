import { compatMain } from '../compat/main.ts';
import { Failed } from '../exit.ts';
import type { Run } from '../verb.ts';

const as =
  (name: 'spire-server' | 'spire-agent'): Run =>
  async (_options, _context, args) => {
    const code = await compatMain(name, args);
    if (code !== 0) throw new Failed(`${name} failed`, code);
  };

export const server = as('spire-server');
export const agent = as('spire-agent');
