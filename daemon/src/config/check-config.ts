import type { z } from 'zod';
import { ConfigError, type ConfigProblem } from '../config-error.ts';
import { describeIssue } from './describe-issue.ts';
import { type ConfigDocument, configOf } from './read-config-file.ts';
import { requireStrict } from './schema-walk.ts';

/**
 * The typed configuration that a schema makes of a document. Unknown keys are refused with the key that was probably
 * meant; every problem is reported, each with its place.
 *
 * @throws {ConfigError}
 * @throws {TypeError} if the schema would drop unknown keys silently
 */
export function checkConfig<T>(schema: z.ZodType<T>, document: ConfigDocument, options: { file?: string } = {}): T {
  requireStrict(schema);
  const result = schema.safeParse(document.value);
  if (result.success) return result.data;
  const file = options.file ?? document.file;
  const problems = result.error.issues.flatMap((issue) => describeIssue(schema, issue));
  throw new ConfigError(
    problems
      .map(
        ({ path, message }): ConfigProblem => ({
          path: path.map(String).join('.'),
          message,
          ...(file === undefined ? {} : { file }),
          ...document.positionOf(path),
        }),
      )
      .sort(byPlace),
  );
}

/** As {@link checkConfig}, for a configuration made in the program. */
export function checkValue<T>(schema: z.ZodType<T>, value: unknown): T {
  return checkConfig(schema, configOf(value));
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
