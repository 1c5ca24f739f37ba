import type { z } from 'zod';

/** What the walk needs of zod's own description of a schema. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly catchall?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly items?: readonly z.core.$ZodType[];
  readonly valueType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly left?: z.core.$ZodType;
  readonly right?: z.core.$ZodType;
}

/** The keys that may stand at a path, for suggestions. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let level = expand(schema);
  for (const key of path) level = level.flatMap((each) => childrenAt(each, key)).flatMap(expand);
  return [...new Set(level.flatMap((each) => Object.keys(definitionOf(each).shape ?? {})))];
}

const checked = new WeakSet<z.core.$ZodType>();

/** Throws a `TypeError` if an object schema anywhere inside would drop unknown keys without a word. */
export function requireStrict(schema: z.core.$ZodType): void {
  if (checked.has(schema)) return;
  const inside = new Set([schema]);
  for (const each of inside) {
    const definition = definitionOf(each);
    if (definition.type === 'object' && definition.catchall === undefined) {
      throw new TypeError('config schemas must be strict: use z.strictObject');
    }
    for (const child of allChildren(definition)) inside.add(child);
  }
  checked.add(schema);
}

/** The schema itself, or what stands inside its wrappers. */
function expand(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { type, innerType, in: input, out, options, left, right } = definitionOf(schema);
  if (innerType !== undefined) return expand(innerType);
  if (type === 'pipe') return [input, out].filter((each) => each !== undefined).flatMap(expand);
  const parts = [...(options ?? []), ...[left, right].filter((each) => each !== undefined)];
  return parts.length === 0 ? [schema] : parts.flatMap(expand);
}

function childrenAt(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType[] {
  const { shape, catchall, element, items, valueType } = definitionOf(schema);
  const member = shape !== undefined && Object.hasOwn(shape, key) ? shape[String(key)] : catchall;
  const item = typeof key === 'number' ? (items?.[key] ?? element) : undefined;
  return [member, item, valueType].filter((each) => each !== undefined);
}

function allChildren(definition: Definition): z.core.$ZodType[] {
  const { shape, catchall, innerType, in: input, out, element, items, valueType, options, left, right } = definition;
  const single = [catchall, innerType, input, out, element, valueType, left, right];
  return [...Object.values(shape ?? {}), ...(items ?? []), ...(options ?? []), ...single].filter(
    (c) => c !== undefined,
  );
}

function definitionOf(schema: z.core.$ZodType): Definition {
  return (schema as z.ZodType).def as unknown as Definition;
}
