import { closeSync, openSync, writeSync } from 'node:fs';
import { ConfigError } from './config-error.ts';
import { reasonOf } from './files.ts';

/** The owner writes, the group may read: whoever collects logs is in it. */
const MODE = 0o640;

/**
 * A log file. Lines are appended one by one, so that several processes may share it and a crash loses none. It can be
 * opened anew after it was renamed, so that it can be rotated.
 */
export class LogFile implements Disposable {
  readonly #path: string;
  #fd: number;
  #closed = false;

  /** @throws {ConfigError} that names the setting if it cannot be opened */
  static open(path: string, setting: string): LogFile {
    try {
      return new LogFile(path, openSync(path, 'a', MODE));
    } catch (cause) {
      const message = `the log file ${path} cannot be opened: ${reasonOf(cause)}`;
      throw new ConfigError([{ path: setting, message }], { cause });
    }
  }

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /** Never fails: a full disk costs lines, not the process. */
  readonly write = (line: string): void => {
    try {
      if (!this.#closed) writeSync(this.#fd, line);
    } catch {
      // There is nowhere to say it.
    }
  };

  /** Goes on in the file that has the name now. If there can be none, goes on in the old one, and tells why. */
  reopen(): string | undefined {
    if (this.#closed) return undefined;
    let fresh: number;
    try {
      fresh = openSync(this.#path, 'a', MODE);
    } catch (error) {
      return reasonOf(error);
    }
    closeSync(this.#fd);
    this.#fd = fresh;
    return undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
