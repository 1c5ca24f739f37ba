import type { LogFields, Logger, LogLevel } from '@steeple/daemon';

/** One line that would have been written. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps every line, whatever the level, for a test to look at. */
export class MemoryLogger implements Logger {
  level: LogLevel = 'trace';
  /** Shared with all children. */
  readonly records: LogRecord[];
  readonly #fields: LogFields;

  constructor(records: LogRecord[] = [], fields: LogFields = {}) {
    this.records = records;
    this.#fields = fields;
  }

  child(fields: LogFields): MemoryLogger {
    return new MemoryLogger(this.records, { ...this.#fields, ...fields });
  }

  trace(message: string, fields?: LogFields): void {
    this.#add('trace', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#add('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#add('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#add('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#add('error', message, fields);
  }

  /** Messages, of one level or all. */
  messages(level?: LogLevel): string[] {
    return this.records.filter((one) => level === undefined || one.level === level).map(({ message }) => message);
  }

  /** Everything as text, for asserting that a secret is nowhere in it. */
  get text(): string {
    return this.records.map((record) => JSON.stringify(record, toText)).join('\n');
  }

  #add(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.records.push({ level, message, fields: { ...this.#fields, ...fields } });
  }
}

// JSON shows neither bigints nor what an Error holds.
function toText(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error)
    return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
  return value;
}
