import type { ConfigNode, ObjectNode } from './config-node.ts';
import type { EnvExpander } from './expand-env.ts';
import { HclCursor } from './hcl-cursor.ts';
import { type HclKey, HclMembers } from './hcl-members.ts';
import { readHeredoc, readString } from './hcl-string.ts';
import { DEEPEST_CONFIG, type SourceText } from './source-text.ts';

/** Reads HCL 1, the language of SPIRE's configuration files. Throws `ConfigError`. */
export function parseHcl(source: SourceText, env: EnvExpander): ObjectNode {
  return new HclReader(source, env).document();
}

class HclReader {
  readonly #cursor: HclCursor;
  readonly #env: EnvExpander;

  constructor(source: SourceText, env: EnvExpander) {
    this.#cursor = new HclCursor(source);
    this.#env = env;
  }

  document(): ObjectNode {
    return this.#items(0, 0, () => this.#cursor.atEnd);
  }

  /** Items up to the end of an object; a comma between them may be written. */
  #items(offset: number, depth: number, ends: () => boolean): ObjectNode {
    const cursor = this.#cursor;
    if (depth > DEEPEST_CONFIG) cursor.source.fail(`nested deeper than ${DEEPEST_CONFIG} levels`, offset);
    const members = new HclMembers(cursor.source);
    for (cursor.skip(); !ends(); cursor.skip()) {
      members.add(this.#keys(depth), this.#valueAfterKeys(depth));
      cursor.skip();
      cursor.take(',');
    }
    return members.finish(offset);
  }

  /** `key`, or `key "label" …`; labels only before a block. */
  #keys(depth: number): readonly [HclKey, ...HclKey[]] {
    const cursor = this.#cursor;
    const first = this.#key() ?? cursor.unexpected(depth === 0 ? 'a key' : 'a key or "}"');
    const keys: [HclKey, ...HclKey[]] = [first];
    for (;;) {
      cursor.skip();
      if (cursor.sees('{')) return keys;
      if (cursor.sees('=') && keys.length === 1) return keys;
      const label = this.#key();
      if (label === undefined) return cursor.unexpected(keys.length === 1 ? '"=" or "{"' : '"{" after labels');
      keys.push(label);
      if (keys.length > DEEPEST_CONFIG) cursor.source.fail('too many labels', label.offset);
    }
  }

  #key(): HclKey | undefined {
    const cursor = this.#cursor;
    const offset = cursor.at;
    if (cursor.sees('"')) return { text: this.#env.expand(readString(cursor), offset), offset };
    const text = cursor.word();
    return text === undefined ? undefined : { text, offset };
  }

  #valueAfterKeys(depth: number): ConfigNode {
    const cursor = this.#cursor;
    if (cursor.take('=')) cursor.skip();
    return this.#value(depth + 1);
  }

  #value(depth: number): ConfigNode {
    const cursor = this.#cursor;
    const offset = cursor.at;
    if (cursor.take('{')) return this.#items(offset, depth, () => cursor.take('}'));
    if (cursor.take('[')) return this.#list(offset, depth);
    if (cursor.sees('"')) return { kind: 'scalar', value: this.#env.expand(readString(cursor), offset), offset };
    if (cursor.sees('<<')) return { kind: 'scalar', value: this.#env.expand(readHeredoc(cursor), offset), offset };
    const number = cursor.number();
    if (number !== undefined) return { kind: 'scalar', value: number, offset };
    return this.#wordValue(offset);
  }

  #list(offset: number, depth: number): ConfigNode {
    const cursor = this.#cursor;
    if (depth > DEEPEST_CONFIG) cursor.source.fail(`nested deeper than ${DEEPEST_CONFIG} levels`, offset);
    const items: ConfigNode[] = [];
    for (cursor.skip(); !cursor.take(']'); cursor.skip()) {
      items.push(this.#value(depth + 1));
      cursor.skip();
      if (!cursor.take(',') && !cursor.sees(']')) cursor.unexpected('"," or "]"');
    }
    return { kind: 'list', items, offset };
  }

  #wordValue(offset: number): ConfigNode {
    const cursor = this.#cursor;
    const variable = this.#env.bareScalar(offset);
    if (variable !== undefined) {
      cursor.at = variable.end;
      return variable.node;
    }
    if (cursor.sees('$')) cursor.source.fail('environment variables are only read with -expandEnv', offset);
    const word = cursor.word();
    if (word === 'true' || word === 'false') return { kind: 'scalar', value: word === 'true', offset };
    if (word !== undefined) cursor.source.fail(`text must be quoted: ${JSON.stringify(word)}`, offset);
    return cursor.unexpected('a value');
  }
}
