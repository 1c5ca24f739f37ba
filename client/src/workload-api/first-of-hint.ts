/** Drops every later element that repeats a non-empty hint (SPIFFE Workload API, section 5.2.1). */
export function firstOfHint<T extends { readonly hint: string }>(elements: readonly T[]): T[] {
  const seen = new Set<string>();
  return elements.filter(({ hint }) => {
    if (hint === '') return true;
    if (seen.has(hint)) return false;
    seen.add(hint);
    return true;
  });
}
