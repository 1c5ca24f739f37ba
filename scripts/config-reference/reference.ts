import { existsSync } from 'node:fs';
import { pluginNames } from '@steeple/plugins/catalog';
import type { z } from 'zod';
import { defaultOf, definitionOf, refusalOf, typeOf, written } from './describe-type.ts';
import { pluginWords, type WordList, type Words } from './words.ts';

type PluginKind = Parameters<typeof pluginNames>[0];

export interface ReferencePart {
  /** `server.conf` */
  readonly file: string;
  readonly schema: z.ZodType;
  readonly words: WordList;
  readonly kinds: Readonly<Record<string, PluginKind>>;
}

export interface Reference {
  readonly markdown: string;
  /** Keys without words, and words without a key. */
  readonly problems: readonly string[];
}

const PAGES = new URL('../../docs/plugins/', import.meta.url);

/** The reference of one file's keys, in the order of the schema. */
export function referenceOf({ file, schema, words, kinds }: ReferencePart): Reference {
  const problems: string[] = [];
  const used = new Set<string>();
  const tables: string[] = [];
  const refused: string[] = [];

  const wordsOf = (path: string): Exclude<Words, string> => {
    const found = words[path];
    used.add(path);
    if (found === undefined) problems.push(`${file}: ${path} has no words`);
    return typeof found === 'object' ? found : { means: found ?? '' };
  };
  const row = (key: string, value: z.ZodType, { means, by, ours }: Exclude<Words, string>): string => {
    const isRequired = !value.safeParse(undefined).success && typeOf(value) !== 'block';
    const given = isRequired ? 'required' : (by ?? code(defaultOf(value)));
    return `| \`${key}\` | ${typeOf(value)} | ${given} | ${means}${ours ? ' *Not in SPIRE.*' : ''} |`;
  };
  const block = (path: string, within: z.ZodType): void => {
    const rows: string[] = [];
    const inner: (() => void)[] = [];
    for (const [key, value] of Object.entries(definitionOf(written(within)).shape ?? {})) {
      const at = path === '' ? key : `${path}.${key}`;
      const refusal = refusalOf(value);
      if (refusal !== undefined) {
        refused.push(`| \`${at}\` | ${refusal} |`);
        continue;
      }
      const kind = path === 'plugins' ? kinds[key] : undefined;
      if (kind !== undefined) {
        rows.push(row(key, value, pluginsOf(wordsOf(at), kind)));
        continue;
      }
      rows.push(row(key, value, wordsOf(at)));
      const body = bodyOf(value);
      if (body !== undefined) inner.push(() => block(at, body));
    }
    if (path !== '' && rows.length > 0) tables.push(table(`### \`${path}\``, 'Key | Type | Default | Meaning', rows));
    for (const next of inner) next();
  };
  block('', schema);
  for (const path of Object.keys(words)) if (!used.has(path)) problems.push(`${file}: there is no key ${path}`);

  const plugin = bodyOf(Object.values(definitionOf(written(pluginsBlock(schema))).shape ?? {}).find(bodyOf));
  if (plugin !== undefined) {
    const known = Object.entries(definitionOf(written(plugin)).shape ?? {}).filter(([key]) => key in pluginWords);
    const rows = known.map(([key, value]) => row(key, value, { means: pluginWords[key] ?? '' }));
    tables.push(table('### In every plugin', 'Key | Type | Default | Meaning', rows));
  }
  const intro = refused.length === 0 ? [] : [table(`### Keys of SPIRE that ${file} refuses`, 'Key | Answer', refused)];
  return { markdown: [`## ${file}`, ...tables, ...intro].join('\n\n'), problems };
}

function pluginsOf(words: Exclude<Words, string>, kind: PluginKind): Exclude<Words, string> {
  const page = (name: string): string => {
    const candidates = [kind, kind.replace(/^node-.*/, 'node-attestor')].map((part) => `${part}-${name}.md`);
    const found = candidates.find((path) => existsSync(new URL(path, PAGES)));
    return found === undefined ? `\`${name}\`` : `[${name}](plugins/${found})`;
  };
  return { ...words, means: `${words.means} There are: ${pluginNames(kind).map(page).join(', ')}.` };
}

/** The schema of what stands inside a block, a list of blocks, or blocks by name. */
function bodyOf(value: z.ZodType | undefined): z.ZodType | undefined {
  if (value === undefined) return undefined;
  const { type, shape, element, valueType } = definitionOf(written(value));
  if (type === 'object') return Object.keys(shape ?? {}).length > 0 ? value : undefined;
  return type === 'array' || type === 'record' ? bodyOf(element ?? valueType) : undefined;
}

function pluginsBlock(schema: z.ZodType): z.ZodType {
  const block = definitionOf(written(schema)).shape?.['plugins'];
  if (block === undefined) throw new Error('a configuration without plugins');
  return block;
}

function table(title: string, head: string, rows: readonly string[]): string {
  const columns = head.split('|').length;
  return [title, '', `| ${head} |`, `|${'---|'.repeat(columns)}`, ...rows].join('\n');
}

function code(text: string | undefined): string {
  return text === undefined ? '' : `\`${text}\``;
}
