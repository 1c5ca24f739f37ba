/** One thing that is wrong in a configuration. Never contains the configured value. */
export interface ConfigProblem {
  /** Dotted path of the setting, such as `server.bind_port`; empty when the whole file is meant. */
  readonly path: string;
  readonly message: string;
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  /** Counted from 1, in characters. */
  readonly column?: number;
}

/** A process cannot start with what it was given. Carries every problem that was found. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[] | string, options?: { cause?: unknown }) {
    const list = typeof problems === 'string' ? [{ path: '', message: problems }] : [...problems];
    super(list.map(formatProblem).join('\n'), options);
    this.name = 'ConfigError';
    this.problems = list;
  }
}

/** `file:line:column: path: message`, leaving out what is unknown. */
export function formatProblem(problem: ConfigProblem): string {
  const place = [problem.file, problem.line, problem.line === undefined ? undefined : problem.column]
    .filter((part) => part !== undefined)
    .join(':');
  return [place, problem.path, problem.message].filter((part) => part !== '').join(': ');
}

/** Does something, and names the setting that a problem with it is about. */
export async function aboutSetting<T>(setting: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(
      cause.problems.map((one) => ({ ...one, path: setting })),
      { cause },
    );
  }
}
