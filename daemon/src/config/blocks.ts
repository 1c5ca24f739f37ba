import { z } from 'zod';

/** Several blocks of one name read as a list, one block as itself: both, and none, as a list. */
export function asList(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** A setting that may be written once or repeatedly; always a list afterwards. */
export function oneOrMany<T extends z.ZodType>(item: T) {
  return z.preprocess(asList, z.array(item));
}

/** A block that may stand once; JSON converted from HCL writes it as a list of one. */
export function singleBlock<T extends z.ZodType>(block: T) {
  return z.preprocess((value) => (Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value), block);
}

/**
 * Labelled blocks, such as SPIRE's plugins: `Kind "name" {}`, `{Kind: {name: {}}}` and `{Kind: [{name: {}}]}` all become
 * a list of bodies per name, names in the order of appearance.
 */
export function labelledBlocks<T extends z.ZodType>(body: T) {
  return z.preprocess(groupByLabel, z.record(z.string(), z.array(body)));
}

function groupByLabel(value: unknown): unknown {
  const groups = asList(value);
  if (!groups.every((group) => typeof group === 'object' && group !== null && !Array.isArray(group))) return value;
  const bodies = new Map<string, unknown[]>();
  for (const [label, body] of groups.flatMap((group) => Object.entries(group as object))) {
    bodies.set(label, [...(bodies.get(label) ?? []), ...asList(body ?? {})]);
  }
  return Object.fromEntries(bodies);
}
