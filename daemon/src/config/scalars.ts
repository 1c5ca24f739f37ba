import { z } from 'zod';
import { LOG_LEVELS } from '../logger.ts';

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

/** A level of the log, in any case, also by SPIRE's name `warning`. */
export const logLevel = z
  .string()
  .transform((value) => (value.toLowerCase() === 'warning' ? 'warn' : value.toLowerCase()))
  .pipe(z.enum(LOG_LEVELS));

/** The form of the log's lines. */
export const logFormat = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['text', 'json']));

/** A SHA-256 fingerprint, with or without prefix and colons, as it is printed; 64 lower hexadecimal digits afterwards. */
export const fingerprint = z
  .string()
  .transform((value) =>
    value
      .toLowerCase()
      .replace(/^sha-?256[:=]/, '')
      .replaceAll(':', ''),
  )
  .refine((value) => /^[0-9a-f]{64}$/.test(value), 'must be a SHA-256 fingerprint: 64 hexadecimal digits');

/** A text that a parser makes something of; its errors of this class are the configuration's, others are faults. */
export function parsed<T>(parse: (text: string) => T, refusal: new (...args: never[]) => Error): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof refusal)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}
