import { z } from 'zod';

// SPIRE reads a number or a switch from a text too, and its own example files write them so: `server_port = "8081"`.

/** A whole number, written as such or as a text; `schema` may bound it. */
export function integer(schema: z.ZodType<number> = z.int()): z.ZodType<number> {
  return z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value),
    schema,
  );
}

/** A switch, written as such or as a text. */
export function flag(schema: z.ZodType<boolean> = z.boolean()): z.ZodType<boolean> {
  const words = new Map<unknown, boolean>([
    ['true', true],
    ['false', false],
  ]);
  return z.preprocess((value) => words.get(value) ?? value, schema);
}
