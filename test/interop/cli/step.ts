// One command line of a script that is run in several places, and what is remembered of its output for later ones.
import type { Place } from './place.ts';

export interface CommandStep {
  readonly program: 'spire-server' | 'spire-agent';
  /** The words, with `{name}` for what the place knows. */
  readonly line: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The socket is named by the words themselves, or by the environment. */
  readonly ownSocket?: boolean;
  /** Names for what the first group finds in standard output. */
  readonly keep?: Readonly<Record<string, RegExp>>;
  /** How much is compared: all of it, the exit code and which of the streams were written, or the code. */
  readonly compare?: 'all' | 'outcome' | 'code';
  /** Why our daemons must answer otherwise than SPIRE's. */
  readonly better?: string;
}

export type Step = CommandStep | ((place: Place) => Promise<void>);

type More = Omit<CommandStep, 'program' | 'line'>;

export const server = (line: string, more: More = {}): Step => ({ program: 'spire-server', line, ...more });
export const agent = (line: string, more: More = {}): Step => ({ program: 'spire-agent', line, ...more });

/** Splits at spaces outside of single quotes. `''` is an empty word. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s']+|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ''));
}
