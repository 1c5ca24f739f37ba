// Instants as the Go programs print them.

/** `2026-11-25 14:00:00 +0000 UTC` */
export function utcTime(seconds: number): string {
  return `${stamp(new Date(seconds * 1000))} +0000 UTC`;
}

/** `2026-11-25T14:00:00Z` */
export function rfc3339(seconds: number): string {
  return `${stamp(new Date(seconds * 1000)).replace(' ', 'T')}Z`;
}

/** In the zone of this machine: `2026-11-25 15:00:00 +0100 CET`. */
export function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const ahead = -date.getTimezoneOffset();
  const size = Math.abs(ahead);
  const offset = `${ahead < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
  return `${stamp(new Date(date.getTime() + ahead * 60_000))} ${offset} ${zoneName(date, offset)}`;
}

const stamp = (date: Date): string => date.toISOString().slice(0, 19).replace('T', ' ');
const two = (number: number): string => String(number).padStart(2, '0');

/** The zone's abbreviation in whichever locale knows one; otherwise its offset, as in zones that have none. */
const zoneName = (date: Date, offset: string): string => {
  if (offset === '+0000' && new Intl.DateTimeFormat().resolvedOptions().timeZone === 'UTC') return 'UTC';
  for (const locale of ['en-US', 'en-GB', 'en-AU']) {
    const name = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' })
      .formatToParts(date)
      .find(({ type }) => type === 'timeZoneName')?.value;
    if (name !== undefined && /^[A-Z]{2,5}$/.test(name)) return name;
  }
  return offset.endsWith('00') ? offset.slice(0, 3) : offset;
};
