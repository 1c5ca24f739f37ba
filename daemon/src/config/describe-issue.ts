import type { z } from 'zod';
import { keysAt } from './schema-walk.ts';
import { suggest } from './suggest.ts';

/** A complaint in words, about the thing at a path. */
export interface DescribedIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** zod's issue as one or more sentences. The offending value is never repeated: it may be a secret. */
export function describeIssue(
  schema: z.core.$ZodType,
  issue: z.core.$ZodIssue,
  above: readonly PropertyKey[] = [],
): DescribedIssue[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, keysAt(schema, path)) }));
  }
  if (issue.code === 'invalid_union') return describeUnion(schema, issue, path);
  if (issue.code === 'invalid_type') return [{ path, message: wrongType(issue) }];
  if (issue.code === 'invalid_value') {
    return [{ path, message: `must be ${listWords(issue.values.map((value) => JSON.stringify(value)))}` }];
  }
  return [{ path, message: issue.message }];
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = suggest(key, known);
  return meant === undefined ? 'unknown key' : `unknown key, did you mean ${JSON.stringify(meant)}?`;
}

function wrongType(issue: z.core.$ZodIssueInvalidType): string {
  if (issue.message.endsWith('received undefined')) return 'is required';
  const words: Readonly<Record<string, string>> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    object: 'a block',
    record: 'a block',
    array: 'a list',
  };
  const wanted = words[issue.expected];
  return wanted === undefined ? issue.message : `must be ${wanted}`;
}

/** Of alternatives, the one that got furthest tells what is wrong. */
function describeUnion(
  schema: z.core.$ZodType,
  issue: z.core.$ZodIssueInvalidUnion,
  path: readonly PropertyKey[],
): DescribedIssue[] {
  const deepest = (issues: readonly z.core.$ZodIssue[]) => Math.max(0, ...issues.map((each) => each.path.length));
  const [first, ...others] = [...issue.errors].sort((a, b) => deepest(b) - deepest(a));
  if (first === undefined) return [{ path, message: issue.message }];
  if (others.length === 0 || deepest(first) > deepest(others[0] ?? [])) {
    return first.flatMap((each) => describeIssue(schema, each, path));
  }
  const messages = issue.errors.flatMap((issues) => issues.flatMap((each) => describeIssue(schema, each, path)));
  return [{ path, message: [...new Set(messages.map((each) => each.message))].join(', or ') }];
}

function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `one of ${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
