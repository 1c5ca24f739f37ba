import type { ConfigNode, Member } from './config-node.ts';
import type { EnvExpander } from './expand-env.ts';
import { DEEPEST_CONFIG, type SourceText } from './source-text.ts';

const SPACE = /[ \t\r\n]*/y;
// Of the control characters JSON allows those from 7F on (RFC 8259 section 7).
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/uy;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

/** Reads JSON (RFC 8259), in which a key may stand once. Throws `ConfigError`. */
export function parseJson(source: SourceText, env: EnvExpander): ConfigNode {
  return new JsonReader(source, env).document();
}

class JsonReader {
  readonly #source: SourceText;
  readonly #env: EnvExpander;
  #at = 0;

  constructor(source: SourceText, env: EnvExpander) {
    this.#source = source;
    this.#env = env;
  }

  document(): ConfigNode {
    const node = this.#value(0);
    this.#space();
    if (this.#at < this.#source.text.length) this.#source.fail('unexpected text after the end', this.#at);
    return node;
  }

  #value(depth: number): ConfigNode {
    this.#space();
    const offset = this.#at;
    const next = this.#source.text[offset];
    if (depth > DEEPEST_CONFIG) this.#source.fail(`nested deeper than ${DEEPEST_CONFIG} levels`, offset);
    if (next === '{') return this.#object(offset, depth);
    if (next === '[') return this.#list(offset, depth);
    if (next === '"') {
      return { kind: 'scalar', value: this.#env.expand(this.#string(), offset), offset };
    }
    return this.#literal(offset);
  }

  #object(offset: number, depth: number): ConfigNode {
    const members = new Map<string, Member>();
    this.#eachUntil('}', () => {
      const keyOffset = this.#at;
      const key = this.#string();
      if (members.has(key)) this.#source.fail(`key ${JSON.stringify(key)} is set twice`, keyOffset);
      this.#space();
      if (!this.#take(':')) this.#source.fail('expected ":"', this.#at);
      members.set(key, { keyOffset, value: this.#value(depth + 1) });
    });
    return { kind: 'object', members, offset };
  }

  #list(offset: number, depth: number): ConfigNode {
    const items: ConfigNode[] = [];
    this.#eachUntil(']', () => items.push(this.#value(depth + 1)));
    return { kind: 'list', items, offset };
  }

  #eachUntil(close: string, read: () => void): void {
    this.#at += 1;
    this.#space();
    if (this.#take(close)) return;
    for (;;) {
      this.#space();
      read();
      this.#space();
      if (this.#take(close)) return;
      if (!this.#take(',')) this.#source.fail(`expected "," or "${close}"`, this.#at);
    }
  }

  #string(): string {
    const offset = this.#at;
    const text = this.#match(STRING);
    if (text === undefined) this.#source.fail('expected a string in double quotes', offset);
    return JSON.parse(text) as string;
  }

  #literal(offset: number): ConfigNode {
    const text = this.#match(WORD) ?? this.#match(NUMBER);
    if (text !== undefined) {
      const value = JSON.parse(text) as boolean | number | null;
      if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
        this.#source.fail('number is too large', offset);
      }
      return { kind: 'scalar', value, offset };
    }
    const variable = this.#env.bareScalar(offset);
    if (variable === undefined) this.#source.fail('expected a value', offset);
    this.#at = variable.end;
    return variable.node;
  }

  #take(text: string): boolean {
    if (!this.#source.text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #space(): void {
    this.#match(SPACE);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#source.text)?.[0];
    if (text !== undefined) this.#at += text.length;
    return text;
  }
}
