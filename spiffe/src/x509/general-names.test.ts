import { expect, it } from 'vitest';
import { DerReader } from '../der/reader.ts';
import { readAlternativeNames } from './general-names.ts';

const tlv = (tag: number, ...contents: readonly number[]) => [tag, contents.length, ...contents];
const text = (value: string) => Array.from(value, (char) => char.charCodeAt(0));
const uri = tlv(0x86, ...text('spiffe://a.test/x'));
const read = (...names: readonly number[][]) => readAlternativeNames(new DerReader(Uint8Array.from(names.flat())));
const oid = tlv(0x06, 0x2a, 0x03);

it('counts names of other kinds', () => {
  const other = tlv(0xa0, ...oid, ...tlv(0xa0, ...tlv(0x0c, ...text('hello'))));
  const directory = tlv(0xa4, ...tlv(0x30));
  expect(read(uri, other, directory, tlv(0x88, 0x2a, 0x03))).toMatchObject({ uris: ['spiffe://a.test/x'], others: 3 });
});

it.each([
  ['an otherName that is text', tlv(0xa0, ...text('x.a.test'))],
  ['an otherName without a value', tlv(0xa0, ...oid)],
  ['an otherName with more than a value', tlv(0xa0, ...oid, ...tlv(0xa0), ...oid)],
  ['an otherName whose value is cut short', tlv(0xa0, ...oid, ...tlv(0xa0, 0x0c, 5))],
  ['a directoryName that is no element', tlv(0xa4, 0x30, 9)],
  ['an unknown kind', tlv(0x89)],
])('refuses %s beside a URI', (_, name) => {
  expect(() => read(uri, name)).toThrow('malformed DER');
});
