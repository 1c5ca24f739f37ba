/** JSON as the Go programs print it: keys sorted, no spaces, and `<`, `>`, `&` escaped. */
export function goJson(value: unknown): string {
  return escapeHtml(JSON.stringify(sorted(value)));
}

/** JSON whose keys keep their order, with the same escapes. */
export function goStructJson(value: unknown): string {
  return escapeHtml(JSON.stringify(value));
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]),
  );
};

const escapeHtml = (text: string): string =>
  text.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
