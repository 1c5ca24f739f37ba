import { SpiffeError } from '../errors.ts';
import { unescapeJsonString } from './json-string.ts';
import type { JsonValue } from './json-value.ts';

/** A container that is not finished, and for an object the member being read. */
type Open =
  | { readonly close: 0x5d; readonly value: JsonValue[] }
  | { readonly close: 0x7d; readonly value: Record<string, JsonValue>; key: string };

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
/** Turning digits into a bigint costs more than linear time, so numbers have a length of their own. */
const MAX_NUMBER_LENGTH = 128;
const WORDS = new Map<string, JsonValue>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** One pass over one text; see `parseJson` for the contract. Open containers live in an array instead of on the stack. */
export class JsonReader {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #open: Open[] = [];
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  read(): JsonValue {
    for (;;) {
      const value = this.#start();
      if (value === undefined) continue;
      const root = this.#finish(value);
      if (root === undefined) continue;
      this.#skipBlanks();
      if (this.#at !== this.#text.length) throw this.#malformed('text after the value');
      return root;
    }
  }

  /** Reads a scalar or an empty container; `undefined` when it opened a container whose first element comes next. */
  #start(): JsonValue | undefined {
    this.#skipBlanks();
    const code = this.#text.charCodeAt(this.#at);
    if (code === QUOTE) return this.#string();
    if (code === OPEN_ARRAY) return this.#openArray();
    if (code === OPEN_OBJECT) return this.#openObject();
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.#number();
    return this.#word();
  }

  /** Hands a value to its container, and each container it completes to the next; the root comes back. */
  #finish(complete: JsonValue): JsonValue | undefined {
    let value = complete;
    for (;;) {
      const container = this.#open.at(-1);
      if (container === undefined) return value;
      if (container.close === CLOSE_ARRAY) container.value.push(value);
      else container.value[container.key] = value;

      if (this.#eat(COMMA)) {
        if (container.close === CLOSE_OBJECT) container.key = this.#key(container.value);
        return undefined;
      }
      if (!this.#eat(container.close)) throw this.#malformed('expected a comma or the end of a container');
      value = container.value;
      this.#open.pop();
    }
  }

  #openArray(): JsonValue | undefined {
    this.#at++;
    this.#checkDepth();
    if (this.#eat(CLOSE_ARRAY)) return [];
    this.#open.push({ close: CLOSE_ARRAY, value: [] });
    return undefined;
  }

  #openObject(): JsonValue | undefined {
    this.#at++;
    this.#checkDepth();
    // Without a prototype `__proto__` is a member like any other, and `constructor` is absent unless it was sent.
    const value = Object.create(null) as Record<string, JsonValue>;
    if (this.#eat(CLOSE_OBJECT)) return value;
    this.#open.push({ close: CLOSE_OBJECT, value, key: this.#key(value) });
    return undefined;
  }

  #key(members: Record<string, JsonValue>): string {
    this.#skipBlanks();
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.#malformed('expected a member name');
    const key = this.#string();
    if (key in members) throw this.#malformed('the same member twice');
    if (!this.#eat(COLON)) throw this.#malformed('expected a colon');
    return key;
  }

  #string(): string {
    const start = ++this.#at;
    let escaped = false;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) break;
      if (code !== code || code < 0x20) throw this.#malformed('unfinished string or control character');
      if (code === BACKSLASH) {
        escaped = true;
        this.#at++;
      }
      this.#at++;
    }
    const raw = this.#text.slice(start, this.#at);
    const value = escaped ? unescapeJsonString(raw) : raw;
    if (value === undefined || !value.isWellFormed()) throw this.#malformed('bad escape or lone surrogate');
    this.#at++;
    return value;
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const [token = '', fraction, exponent] = NUMBER.exec(this.#text) ?? [];
    if (token === '' || token.length > MAX_NUMBER_LENGTH) throw this.#malformed('bad or overlong number');
    this.#at += token.length;
    const value = Number(token);
    if (!Number.isFinite(value)) throw this.#malformed('number out of range');
    const isInteger = fraction === undefined && exponent === undefined;
    return isInteger && !Number.isSafeInteger(value) ? BigInt(token) : value;
  }

  #word(): JsonValue {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    throw this.#malformed('expected a value');
  }

  #checkDepth(): void {
    if (this.#open.length >= this.#maxDepth) throw this.#malformed('nested too deeply');
  }

  #eat(code: number): boolean {
    this.#skipBlanks();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  /** Names the place and never the content, which may be a secret. */
  #malformed(problem: string): SpiffeError {
    return new SpiffeError('malformed-json', `malformed JSON at character ${this.#at}: ${problem}`);
  }
}
