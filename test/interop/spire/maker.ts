// Whose program: both read the same configuration file and are told apart by the command that starts them only.
import { spireProgram } from '../peers/spire.ts';

export type Maker = 'steeple' | 'spire';
export const MAKERS: readonly Maker[] = ['steeple', 'spire'];

export interface Command {
  readonly path: string;
  readonly args: readonly string[];
}

const root = new URL('../../../', import.meta.url).pathname;
const node = ['--disable-warning=ExperimentalWarning', `${root}cli/src/bin/steeple.ts`];

/** Our command line. */
export function steeple(...args: readonly string[]): Command {
  return { path: process.execPath, args: [...node, ...args] };
}

export async function daemon(maker: Maker, role: 'server' | 'agent', config: string): Promise<Command> {
  if (maker === 'steeple') return steeple(role, 'run', '--config', config);
  return { path: await spireProgram(`spire-${role}`), args: ['run', '-config', config] };
}
