import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import type { Node, YAMLError } from 'yaml';
import { ConfigError } from '../config-error.ts';
import type { ConfigNode, Member } from './config-node.ts';
import { type EnvExpander, typed } from './expand-env.ts';
import { DEEPEST_CONFIG, type SourceText } from './source-text.ts';

/** The library, loaded when there is YAML to read: most configurations are HCL. */
const library = (): typeof Yaml => (loaded ??= createRequire(import.meta.url)('yaml') as typeof Yaml);
let loaded: typeof Yaml | undefined;

/** One mistake can make the library complain about every line that follows. */
const MOST_PROBLEMS = 20;

/** What a tag may say: nothing, or a type that JSON has too. */
const PLAIN_TAG = /^(?:tag:yaml\.org,2002:(?:str|int|float|bool|null|seq|map))?$/;

/** Reads one YAML 1.2 document of plain values: no anchors, no tags, no duplicate keys. Throws `ConfigError`. */
export function parseYaml(source: SourceText, env: EnvExpander): ConfigNode {
  refuseDeepFlow(source);
  const options = { version: '1.2', schema: 'core', uniqueKeys: false, prettyErrors: false } as const;
  const [document, second] = [...library().parseAllDocuments(source.text, options)];
  if (document === undefined) return { kind: 'object', members: new Map(), offset: 0 };
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) {
    throw new ConfigError(errors.slice(0, MOST_PROBLEMS).map((error) => problemOf(source, error)));
  }
  if (second !== undefined) source.fail('a second document follows', second.range[0]);
  if (document.contents === null) return { kind: 'object', members: new Map(), offset: 0 };
  return convert(source, env, document.contents, 0);
}

function convert(source: SourceText, env: EnvExpander, node: Node, depth: number): ConfigNode {
  const { isAlias, isMap, isScalar, isSeq } = library();
  const offset = node.range?.[0] ?? 0;
  if (depth > DEEPEST_CONFIG) source.fail(`nested deeper than ${DEEPEST_CONFIG} levels`, offset);
  if (isAlias(node)) return source.fail('aliases are not allowed', offset);
  if (!PLAIN_TAG.test(node.tag ?? '')) source.fail('only the tags of plain values are allowed', offset);
  if (isSeq<Node>(node)) {
    return { kind: 'list', items: node.items.map((item) => convert(source, env, item, depth + 1)), offset };
  }
  if (!isMap<Node, Node | null>(node)) return scalar(source, env, node, offset);
  const members = new Map<string, Member>();
  for (const { key, value } of node.items) {
    const keyOffset = key.range?.[0] ?? offset;
    if (!isScalar(key)) return source.fail('a key must be a plain text', keyOffset);
    const empty: ConfigNode = { kind: 'scalar', value: null, offset: keyOffset };
    const name = String(key.value);
    if (members.has(name)) source.fail(`key ${JSON.stringify(name)} is set twice`, keyOffset);
    members.set(name, { keyOffset, value: value === null ? empty : convert(source, env, value, depth + 1) });
  }
  return { kind: 'object', members, offset };
}

function scalar(source: SourceText, env: EnvExpander, node: Node, offset: number): ConfigNode {
  const { isScalar, Scalar } = library();
  const value: unknown = isScalar(node) ? node.value : undefined;
  if (typeof value === 'string') {
    const expanded = env.expand(value, offset);
    const isPlain = (node as Yaml.Scalar).type === Scalar.PLAIN;
    return { kind: 'scalar', value: isPlain && expanded !== value ? typed(expanded) : expanded, offset };
  }
  if (value === null || typeof value === 'boolean') return { kind: 'scalar', value, offset };
  if (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return { kind: 'scalar', value, offset };
  return source.fail('expected a text, a number in range, a truth value, a list or a map', offset);
}

/** The library reads nested flow collections by recursion; text that could exhaust the stack never reaches it. */
function refuseDeepFlow(source: SourceText): void {
  let depth = 0;
  for (let at = 0; at < source.text.length; at++) {
    const unit = source.text[at];
    if (unit === '[' || unit === '{') depth += 1;
    if (unit === ']' || unit === '}') depth = Math.max(0, depth - 1);
    if (depth > 1000) source.fail('nested too deep', at);
  }
}

function problemOf(source: SourceText, error: YAMLError) {
  const isDepth = error.message.includes('call stack');
  const message = isDepth ? 'nested too deep' : (error.message.split('\n')[0] ?? '').slice(0, 200);
  const file = source.file === undefined ? {} : { file: source.file };
  return { path: '', message, ...file, ...source.position(error.pos[0]) };
}
