const SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** Go's largest duration, in seconds: 63 bits of nanoseconds. */
const LONGEST = 2 ** 63 / 1e9;

const PART = /([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Seconds of a Go duration such as `1h30m`, `500ms` or `-1.5s`; `0` needs no unit.
 *
 * @throws {RangeError} that says what a duration looks like
 */
export function parseDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0;
  let seconds = 0;
  PART.lastIndex = 0;
  let at = 0;
  while (at < body.length) {
    const part = PART.exec(body);
    if (part === null) throw malformed();
    seconds += Number(part[1]) * (SECONDS[part[2] ?? ''] ?? Number.NaN);
    at = PART.lastIndex;
  }
  if (at === 0) throw malformed();
  if (!(seconds < LONGEST)) throw new RangeError('too long for a duration');
  return sign * Number(seconds.toPrecision(15));
}

/** The Go duration for a number of seconds, such as `1h30m0s`, `1.5s` or `500ms`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) throw new RangeError('duration must be finite');
  const sign = seconds < 0 ? '-' : '';
  const total = Math.abs(seconds);
  if (total === 0) return '0s';
  if (total < 1) {
    if (total >= 1e-3) return `${sign}${decimal(total * 1e3)}ms`;
    return total >= 1e-6 ? `${sign}${decimal(total * 1e6)}µs` : `${sign}${decimal(total * 1e9)}ns`;
  }
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const rest = `${decimal(total % 60)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${sign}${minutes}m${rest}` : `${sign}${rest}`;
}

function decimal(value: number): string {
  return String(Number(value.toFixed(9)));
}

function malformed(): RangeError {
  return new RangeError('not a duration: write a number with a unit (ns, us, ms, s, m, h), such as "1h30m"');
}
