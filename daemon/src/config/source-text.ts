import { ConfigError } from '../config-error.ts';

/** Where something stands in a file; both counted from 1, columns in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** No honest configuration comes near; what is larger was not written by a person. */
export const LARGEST_CONFIG = 1024 * 1024;

/** Deepest nesting of blocks, objects and lists. */
export const DEEPEST_CONFIG = 64;

/** The text of a configuration file, which knows its lines. */
export class SourceText {
  readonly text: string;
  readonly file: string | undefined;
  #lineStarts: readonly number[] | undefined;

  /** Takes line ends of any system and an optional byte order mark. Throws `ConfigError` for what is no text. */
  constructor(content: string | Uint8Array, file?: string) {
    this.file = file;
    const size = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
    if (size > LARGEST_CONFIG) throw this.#unreadable(`file is larger than ${LARGEST_CONFIG} bytes`);
    this.text = this.#decode(content)
      .replace(/^\ufeff/, '')
      .replaceAll('\r\n', '\n');
    const nul = this.text.indexOf('\0');
    if (nul >= 0) this.fail('unexpected NUL character', nul);
  }

  position(offset: number): Position {
    this.#lineStarts ??= [0, ...Array.from(this.text.matchAll(/\n/g), (match) => match.index + 1)];
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    const before = this.text.slice(this.#lineStarts[low], offset);
    return { line: low + 1, column: Array.from(before).length + 1 };
  }

  /** Throws a `ConfigError` about this place. */
  fail(message: string, offset: number): never {
    const place = this.position(offset);
    throw new ConfigError([{ path: '', message, ...(this.file === undefined ? {} : { file: this.file }), ...place }]);
  }

  #decode(content: string | Uint8Array): string {
    if (typeof content === 'string') return content;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    } catch {
      throw this.#unreadable('file is not UTF-8 text');
    }
  }

  #unreadable(message: string): ConfigError {
    return new ConfigError([{ path: '', message, ...(this.file === undefined ? {} : { file: this.file }) }]);
  }
}
