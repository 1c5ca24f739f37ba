import { duration, formatDuration } from '@steeple/daemon/config';
import type { z } from 'zod';

/** What the reference needs of zod's own description of a schema. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly defaultValue?: unknown;
}

export const definitionOf = (schema: z.ZodType): Definition => schema.def as unknown as Definition;

/** What is inside wrappers and conversions: what somebody writes. */
export function written(schema: z.ZodType): z.ZodType {
  const { type, innerType, in: input, out } = definitionOf(schema);
  if (isDuration(schema)) return schema;
  if (innerType !== undefined) return written(innerType);
  if (type !== 'pipe' || input === undefined || out === undefined) return schema;
  const isConversionOfAnything = definitionOf(input).type === 'transform';
  const isConversionOnly = definitionOf(out).type === 'transform';
  return written(isConversionOfAnything || !isConversionOnly ? out : input);
}

/** The type of a value, in the words of a configuration file. */
export function typeOf(schema: z.ZodType): string {
  if (isDuration(schema)) return 'duration';
  const inside = written(schema);
  if (isDuration(inside)) return 'duration';
  const { type, element, valueType, entries, options } = definitionOf(inside);
  switch (type) {
    case 'boolean':
      return '`true` or `false`';
    case 'int':
    case 'number':
      return 'number';
    case 'enum':
      return Object.values(entries ?? {})
        .map((value) => `\`${value}\``)
        .join(', ');
    case 'array':
      return element === undefined ? 'list' : `list of ${typeOf(element)}`;
    case 'object':
      return 'block';
    case 'record':
      return valueType === undefined || definitionOf(valueType).type === 'unknown' ? 'block' : 'blocks by name';
    case 'union':
      return [...new Set((options ?? []).map(typeOf))].join(' or ');
    default:
      return type;
  }
}

/** The default as it would be written; undefined if there is none or it is a whole block. */
export function defaultOf(schema: z.ZodType): string | undefined {
  const { defaultValue, innerType, in: input, out } = definitionOf(schema);
  if (defaultValue !== undefined) {
    if (typeof defaultValue === 'object') return undefined;
    if (typeof defaultValue === 'number' && typeOf(schema) === 'duration') return `"${formatDuration(defaultValue)}"`;
    return JSON.stringify(defaultValue);
  }
  for (const inner of [innerType, input, out]) {
    const found = inner === undefined ? undefined : defaultOf(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is said to whoever sets a key of SPIRE's that is not taken, or with one value only; undefined for other keys. */
export function refusalOf(schema: z.ZodType): string | undefined {
  if (!schema.safeParse(undefined).success) return undefined;
  if (!['custom', 'unknown', 'boolean'].includes(definitionOf(written(schema)).type)) return undefined;
  const answers = [true, false, 'text', '1h', 1, []].map((value) => ({ value, ...schema.safeParse(value) }));
  const taken = answers.filter(({ success }) => success).map(({ value }) => value);
  if (taken.length > 1) return undefined;
  const [refused] = answers.filter(({ value }) => value !== taken[0]);
  const message = refused?.error?.issues[0]?.message ?? '';
  return taken.length === 0 ? message : `${message} (or set it to \`${String(taken[0])}\`)`;
}

/** Refinements make copies; what a copy was made from is told by what it makes of a text. */
function isDuration(schema: z.ZodType): boolean {
  if (schema === duration) return true;
  const { type, in: input, out } = definitionOf(schema);
  if (type !== 'pipe' || input === undefined || out === undefined) return false;
  const own = definitionOf(duration);
  return input === own.in && out === own.out;
}
