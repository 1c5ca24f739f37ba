import { ConfigError, type ConfigProblem } from '../config-error.ts';
import type { ScalarNode } from './config-node.ts';
import type { SourceText } from './source-text.ts';

const REFERENCE = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g;

/** The environment, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Replaces `$NAME` and `${NAME}` by variables of the environment, inside values only: a variable never changes the
 * structure of a file, whatever it holds. Any other `$` stays. Variables that are not set are collected and refused, since
 * an empty trust domain or path is never what was meant.
 */
export class EnvExpander {
  readonly #source: SourceText;
  readonly #environment: Environment | undefined;
  readonly #problems: ConfigProblem[] = [];

  /** Without an environment nothing is expanded. */
  constructor(source: SourceText, environment: Environment | undefined) {
    this.#source = source;
    this.#environment = environment;
  }

  get enabled(): boolean {
    return this.#environment !== undefined;
  }

  /** The text with its variables replaced. `offset` is where it stands. */
  expand(text: string, offset: number): string {
    const environment = this.#environment;
    if (environment === undefined) return text;
    return text.replaceAll(REFERENCE, (_, braced?: string, bare?: string) => {
      const name = braced ?? bare ?? '';
      return (Object.hasOwn(environment, name) ? environment[name] : undefined) ?? this.#missing(name, offset);
    });
  }

  /** The reference that begins at this place, and is not quoted: its value may be a number or a truth value too. */
  bareScalar(offset: number): { readonly node: ScalarNode; readonly end: number } | undefined {
    REFERENCE.lastIndex = offset;
    const match = this.enabled ? REFERENCE.exec(this.#source.text) : null;
    REFERENCE.lastIndex = 0;
    if (match === null || match.index !== offset) return undefined;
    const value = typed(this.expand(match[0], offset));
    return { node: { kind: 'scalar', value, offset }, end: offset + match[0].length };
  }

  /** Throws a `ConfigError` that names every variable that was missing. */
  finish(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
  }

  #missing(name: string, offset: number): string {
    const { file } = this.#source;
    this.#problems.push({
      path: '',
      message: `environment variable ${name} is not set`,
      ...(file === undefined ? {} : { file }),
      ...this.#source.position(offset),
    });
    return '';
  }
}

/** What an unquoted text means: a number, a truth value, or itself. */
export function typed(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const isNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/.test(text);
  return isNumber && Math.abs(Number(text)) <= Number.MAX_SAFE_INTEGER ? Number(text) : text;
}
