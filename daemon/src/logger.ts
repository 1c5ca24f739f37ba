import { formatRecord, type LogFormat } from './log-format.ts';

/** From the most to the least talkative; `fatal` and `panic` only silence, nothing is logged with them. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'panic'] as const;

/** A threshold. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Named values beside a message. Secrets are redacted by name and by look, but do not belong here. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one line per event. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. Shares the level with its parent. */
  child(fields: LogFields): Logger;
  /** May be set at any time; holds for the whole family. */
  level: LogLevel;
}

/** How a logger is set up. `write` receives whole lines with their line feed; the default writes to stderr. */
export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  readonly write?: (line: string) => void;
  /** Unix seconds. */
  readonly now?: () => number;
}

/** A logger with SPIRE's line formats. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', format = 'text', write = writeToStderr, now = () => Date.now() / 1000 } = options;
  return new LineLogger({ level, format, write, now }, []);
}

interface Family {
  level: LogLevel;
  readonly format: LogFormat;
  readonly write: (line: string) => void;
  readonly now: () => number;
}

class LineLogger implements Logger {
  readonly #family: Family;
  readonly #layers: readonly LogFields[];

  constructor(family: Family, layers: readonly LogFields[]) {
    this.#family = family;
    this.#layers = layers;
  }

  get level(): LogLevel {
    return this.#family.level;
  }

  set level(level: LogLevel) {
    if (!LOG_LEVELS.includes(level)) throw new RangeError('unknown log level');
    this.#family.level = level;
  }

  child(fields: LogFields): Logger {
    return new LineLogger(this.#family, [...this.#layers, fields]);
  }

  trace(message: string, fields?: LogFields): void {
    this.#log('trace', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    const { format, write, now } = this.#family;
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.#family.level)) return;
    write(formatRecord(format, { time: now(), level, message, layers: [...this.#layers, fields ?? {}] }));
  }
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}

/** Says nothing. */
export const silentLogger: Logger = createLogger({ level: 'panic', write: () => {} });
