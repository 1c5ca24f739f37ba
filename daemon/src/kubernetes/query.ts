import type { Scope } from './resource.ts';

/** With its question mark; what is undefined is left out. */
export function queryOf(members: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(members).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

export function selectorsOf({ labelSelector, fieldSelector }: Scope): Record<string, string | undefined> {
  return { labelSelector, fieldSelector };
}
