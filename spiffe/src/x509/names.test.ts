import { describe, expect, it } from 'vitest';
import { readSingle } from '../der/reader.ts';
import { TAG } from '../der/tags.ts';
import { encodeOid, sequence, setOfOne, tlv } from '../der/writer.ts';
import { encodeHex } from '../encoding/hex.ts';
import { errorOf } from '../testing/error-of.ts';
import { isDnsName } from './dns-name.ts';
import { commonNameOf, encodeName, nameText, readName } from './name.ts';
import { OID } from './oids.ts';

const read = (name: Uint8Array) => readName(readSingle(name, TAG.sequence));
const named = (type: string, value: Uint8Array) => sequence(setOfOne(sequence(encodeOid(type), value)));

describe('distinguished names', () => {
  it('are written in a fixed order, as PrintableString where possible', () => {
    const name = encodeName({ serialNumber: '7', commonName: 'é', country: ['US'], organization: ['A', 'B'] });
    expect(nameText(read(name))).toBe('C=US,O=A,O=B,CN=é,serialNumber=7');
    expect(encodeHex(name)).toContain('06035504061302555');
    expect(encodeHex(name)).toContain('06035504030c02c3a9');
    expect(encodeHex(encodeName({}))).toBe('3000');
  });

  it('cannot forge a second attribute or a line of a log when shown', () => {
    const name = encodeName({ commonName: ' x,O=y\n"+\u202e\\ ', organizationalUnit: ['#1'] });
    expect(nameText(read(name))).toBe(String.raw`OU=\#1,CN=\ x\,O\=y\0a\"\+\e280ae\\\ `);
    expect(commonNameOf(read(name))).toBe(' x,O=y\n"+\u202e\\ ');
  });

  it('show what cannot be read as text in hexadecimal', () => {
    expect(nameText(read(named(OID.commonName, tlv(TAG.t61String, Uint8Array.of(0xff)))))).toBe('CN=#1401ff');
    expect(commonNameOf(read(named(OID.commonName, tlv(TAG.t61String, Uint8Array.of(0xff)))))).toBeUndefined();
    expect(nameText(read(named('1.2.3', tlv(TAG.utf8String))))).toBe('1.2.3=');
    expect(nameText(read(named('1.2.3', tlv(TAG.universalString, Uint8Array.of(0, 1, 0xf6, 0)))))).toBe('1.2.3=😀');
  });

  it.each<[string, Uint8Array]>([
    ['a number', tlv(TAG.integer, Uint8Array.of(1))],
    ['a tag that says nothing', tlv(0xa3, Uint8Array.of(0x61))],
    ['bytes that are not UTF-8', tlv(TAG.utf8String, Uint8Array.of(0xff))],
    ['half a character', tlv(TAG.bmpString, Uint8Array.of(0))],
    ['three quarters of a character', tlv(TAG.universalString, Uint8Array.of(0, 0, 0))],
    ['a character beyond Unicode', tlv(TAG.universalString, Uint8Array.of(1, 0, 0, 0))],
    ['half a pair', tlv(TAG.universalString, Uint8Array.of(0, 0, 0xd8, 0))],
  ])('do not hold %s', (_, value) => {
    expect(errorOf(() => read(named(OID.commonName, value))).code).toBe('malformed-der');
  });

  it('have no empty parts and no lone surrogates', () => {
    expect(errorOf(() => read(sequence(tlv(TAG.set)))).code).toBe('malformed-der');
    expect(() => encodeName({ commonName: '\ud800' })).toThrow(TypeError);
  });
});

describe('isDnsName', () => {
  it.each(['a', 'a.test', '*.a.test', 'xn--bcher-kva.example', 'A-1.b', '1.a', `${'a'.repeat(63)}.test`])(
    'takes %s',
    (name) => {
      expect(isDnsName(name)).toBe(true);
    },
  );
  const long = [`${'a'.repeat(64)}.test`, `${'a.'.repeat(126)}test`];
  const shapes = ['', '*', '*.', 'a.*', '**.a', '*a.b', 'a..b', '.a', 'a.', '-a', 'a-', '1.2.3.4', '1', '::1'];
  const characters = ['a_b', 'a b', 'a\n', '\na', 'a\0', 'a/b', 'a:1', 'a@b', 'é.test'];
  it.each([...long, ...shapes, ...characters])('refuses %j', (name) => {
    expect(isDnsName(name)).toBe(false);
  });
});
