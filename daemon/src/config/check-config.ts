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
export function checkConfig<T>(schema: z.ZodType<T>, document: ConfigDocument): T {
  requireStrict(schema);
  const result = schema.safeParse(document.value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => describeIssue(schema, issue));
  throw new ConfigError(problems.map(({ path, message }) => problemAt(document, path, message)).sort(byPlace));
}

/** A problem with the setting at this path, with its place in the file. */
export function problemAt(document: ConfigDocument, path: readonly PropertyKey[], message: string): ConfigProblem {
  const { file } = document;
  return {
    path: path.map(String).join('.'),
    message,
    ...(file === undefined ? {} : { file }),
    ...document.positionOf(path),
  };
}

/** As {@link checkConfig}, for a configuration made in the program. */
export function checkValue<T>(schema: z.ZodType<T>, value: unknown): T {
  return checkConfig(schema, configOf(value));
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
