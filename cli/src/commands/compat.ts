import { compatMain } from '../compat/main.ts';
import { Failed } from '../exit.ts';
import type { CliContext, Options } from '../verb.ts';

type Run = (options: Options, context: CliContext, args: readonly string[]) => Promise<void>;

const as =
  (name: 'spire-server' | 'spire-agent'): Run =>
  async (_options, _context, args) => {
    const code = await compatMain(name, args);
    if (code !== 0) throw new Failed(`${name} failed`, code);
  };

export const server = as('spire-server');
export const agent = as('spire-agent');
