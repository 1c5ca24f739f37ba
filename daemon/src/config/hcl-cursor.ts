import type { SourceText } from './source-text.ts';

const SPACE = /\s+/y;
const LINE_COMMENT = /(?:#|\/\/)[^\n]*/y;
const WORD = /[\p{L}_][\p{L}\p{Nd}_.-]*/uy;
const NUMBER =
  /-?(?:0[xX][0-9A-Fa-f]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)(?![\p{L}\p{Nd}_])/uy;

/** A reading position in HCL text. */
export class HclCursor {
  readonly source: SourceText;
  at = 0;

  constructor(source: SourceText) {
    this.source = source;
  }

  get atEnd(): boolean {
    return this.at >= this.source.text.length;
  }

  /** Passes over white space and comments. */
  skip(): void {
    while (this.match(SPACE) !== undefined || this.match(LINE_COMMENT) !== undefined || this.#blockComment());
  }

  /** Whether this text comes next. */
  sees(text: string): boolean {
    return this.source.text.startsWith(text, this.at);
  }

  /** Passes over this text, if it comes next. */
  take(text: string): boolean {
    if (!this.sees(text)) return false;
    this.at += text.length;
    return true;
  }

  /** Passes over what a sticky pattern matches here. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const text = pattern.exec(this.source.text)?.[0];
    if (text !== undefined) this.at += text.length;
    return text;
  }

  /** An unquoted key or keyword. */
  word(): string | undefined {
    return this.match(WORD);
  }

  /** A number: decimal, `0x` hexadecimal, or octal with a leading zero. */
  number(): number | undefined {
    const offset = this.at;
    const text = this.match(NUMBER);
    if (text === undefined) return undefined;
    const sign = text.startsWith('-') ? -1 : 1;
    const digits = text.replace(/^-/, '');
    const isOctal = /^0[0-9]+$/.test(digits);
    if (isOctal && /[89]/.test(digits)) this.source.fail('a number with a leading zero is octal', offset);
    // No setting is less than nothing and yet nothing: -0 is 0.
    const value = sign * (isOctal ? Number.parseInt(digits, 8) : Number(digits)) + 0;
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) this.source.fail('number is too large', offset);
    return value;
  }

  /** Throws a `ConfigError` about the text that comes next. */
  unexpected(wanted: string): never {
    const found = this.atEnd
      ? 'the end of the file'
      : JSON.stringify(String.fromCodePoint(this.source.text.codePointAt(this.at) ?? 0));
    return this.source.fail(`expected ${wanted}, found ${found}`, this.at);
  }

  #blockComment(): boolean {
    if (!this.sees('/*')) return false;
    const end = this.source.text.indexOf('*/', this.at + 2);
    if (end < 0) this.source.fail('comment is not closed', this.at);
    this.at = end + 2;
    return true;
  }
}
