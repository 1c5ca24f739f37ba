// Flags in the syntax of the Go programs: `-name value`, `-name=value`, the same with two dashes, `-switch`; the first
// other word ends them.
import type { FlagKind, OutputFormat } from './flag-kind.ts';
import { quote } from './quote.ts';

export interface FlagSpec {
  readonly name: string;
  readonly kind: FlagKind;
  readonly usage: string;
  /** What it has when absent; the kind's zero when undefined. */
  readonly initial?: unknown;
  /** Another flag whose value this one sets. */
  readonly sets?: string;
}

/** The values of a command's flags. */
export class FlagValues {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #given: ReadonlySet<string>;

  constructor(values: ReadonlyMap<string, unknown>, given: ReadonlySet<string>) {
    this.#values = values;
    this.#given = given;
  }

  text(name: string): string {
    return this.#values.get(name) as string;
  }

  isOn(name: string): boolean {
    return this.#values.get(name) === true;
  }

  number(name: string): bigint {
    return this.#values.get(name) as bigint;
  }

  list(name: string): string[] {
    return [...(this.#values.get(name) as readonly string[])];
  }

  filter(name: string): boolean | undefined {
    return this.#values.get(name) as boolean | undefined;
  }

  isGiven(name: string): boolean {
    return this.#given.has(name);
  }

  get output(): OutputFormat {
    return (this.#values.get('output') as OutputFormat | undefined) ?? 'pretty';
  }
}

/** What is wrong with the words of a command; `-h` among them asks for help. */
export class FlagError extends Error {
  readonly help: boolean;

  constructor(message: string, help = false) {
    super(message);
    this.help = help;
  }
}

/** Reads flags up to the first word that is none. @throws {FlagError} with the Go programs' words */
export function parseFlags(specs: readonly FlagSpec[], words: readonly string[]): FlagValues {
  const values = new Map<string, unknown>(specs.map(({ name, kind, initial }) => [name, initial ?? kind.zero]));
  const given = new Set<string>();
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined && word.length > 1 && word.startsWith('-'); word = rest.shift()) {
    if (word === '--') break;
    const [, name = '', inline] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (name === '' || name.startsWith('-')) throw new FlagError(`bad flag syntax: ${word}`);
    const spec = specs.find((spec) => spec.name === name);
    if (spec === undefined) throw unknown(name);
    const text = inline ?? (spec.kind.alone === true ? 'true' : rest.shift());
    if (text === undefined) throw new FlagError(`flag needs an argument: -${name}`);
    const key = spec.sets ?? name;
    values.set(key, read(spec, text, values.get(key)));
    given.add(name);
  }
  return new FlagValues(values, given);
}

const unknown = (name: string): FlagError =>
  name === 'h' || name === 'help'
    ? new FlagError('flag: help requested', true)
    : new FlagError(`flag provided but not defined: -${name}`);

const read = ({ name, kind }: FlagSpec, text: string, before: unknown): unknown => {
  try {
    return kind.read(text, before);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FlagError(
      kind.alone === true
        ? `invalid boolean value ${quote(text)} for -${name}: ${reason}`
        : `invalid value ${quote(text)} for flag -${name}: ${reason}`,
    );
  }
};

/** The usage text of a command. */
export function usageOf(command: string, specs: readonly FlagSpec[]): string {
  const flags = specs.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(usageOfFlag);
  return [`Usage of ${command}:`, ...flags, ''].join('\n');
}

const usageOfFlag = ({ name, kind, usage, initial }: FlagSpec): string => {
  const shown = initial === undefined ? undefined : kind.show?.(initial);
  const operand = kind.operand === '' ? '' : ` ${kind.operand}`;
  return `  -${name}${operand}\n    \t${usage}${shown === undefined ? '' : ` (default ${shown})`}`;
};
