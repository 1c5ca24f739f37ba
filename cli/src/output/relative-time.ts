const steps: readonly (readonly [unit: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
];

/** `in 42m`, `3h ago`; the two largest units that matter. Both times in Unix seconds; 0 is `never`. */
export function relativeTime(at: number, now: number): string {
  if (at === 0) return 'never';
  const distance = Math.round(Math.abs(at - now));
  const words = span(distance);
  return at >= now ? `in ${words}` : `${words} ago`;
}

/** A length of time in at most two units. */
export function span(seconds: number): string {
  const first = steps.findIndex(([, size]) => seconds >= size);
  if (first === -1) return '0s';
  const parts = steps.slice(first, first + 2);
  let rest = seconds;
  const words = parts.map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count}${unit}` : '';
  });
  return words.join('');
}

/** An expiry as tables show it. */
export function expiry(at: number, now: number): string {
  if (at === 0) return 'never';
  return at >= now ? relativeTime(at, now) : `expired ${relativeTime(at, now)}`;
}
