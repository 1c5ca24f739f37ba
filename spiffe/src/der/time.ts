import { type DerReader, malformed } from './reader.ts';
import { TAG } from './tags.ts';
import { encodeAscii } from './text.ts';

const ZERO = 0x30;
const LETTER_Z = 0x5a;

/** First second that UTCTime cannot carry (RFC 5280 section 4.1.2.5). */
const YEAR_2050 = 2524608000;
const YEAR_1950 = -631152000;
const YEAR_10000 = 253402300800;

/**
 * A Time of RFC 5280 section 4.1.2.5 as Unix seconds: UTCTime or GeneralizedTime, with seconds, without fractions, in `Z`.
 *
 * @throws SpiffeError `malformed-der`, also for dates that do not exist
 */
export function readTime(reader: DerReader): number {
  const { tag, contents } = reader.next();
  if (tag !== TAG.utcTime && tag !== TAG.generalizedTime) throw malformed('expected a time');
  const yearDigits = tag === TAG.utcTime ? 2 : 4;
  if (contents.length !== yearDigits + 11 || contents.at(-1) !== LETTER_Z) throw malformed('time of a wrong form');

  const shortYear = readDigits(contents, 0, yearDigits);
  const year = yearDigits === 4 ? shortYear : shortYear + (shortYear >= 50 ? 1900 : 2000);
  const field = (index: number) => readDigits(contents, yearDigits + 2 * index, 2);
  const [month, day, hour, minute, second] = [field(0), field(1), field(2), field(3), field(4)];
  return secondsOf(year, month, day, hour, minute, second);
}

/**
 * Encodes Unix seconds: UTCTime through the year 2049, GeneralizedTime after it. Fractions are cut off.
 *
 * @throws RangeError outside the years 1950 to 9999
 */
export function encodeTime(seconds: number): Uint8Array {
  if (!(seconds >= YEAR_1950 && seconds < YEAR_10000)) throw new RangeError('time is outside the years 1950 to 9999');
  // "2049-12-31T23:59:59.000Z" without its punctuation and fraction.
  const text = `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}Z`;
  const short = seconds < YEAR_2050;
  return encodeAscii(short ? TAG.utcTime : TAG.generalizedTime, short ? text.slice(2) : text);
}

function secondsOf(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // Overflowing fields roll over silently; a date that exists comes back unchanged.
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59) throw malformed('time that does not exist');
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

function readDigits(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let index = start; index < start + count; index++) {
    const digit = (bytes[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) throw malformed('time with something other than digits');
    value = value * 10 + digit;
  }
  return value;
}
