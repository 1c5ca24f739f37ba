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

  it('show what is no text in hexadecimal', () => {
    const attribute = (value: Uint8Array) => sequence(setOfOne(sequence(encodeOid(OID.commonName), value)));
    expect(nameText(read(attribute(tlv(TAG.utf8String, Uint8Array.of(0xff)))))).toBe('CN=#0c01ff');
    expect(commonNameOf(read(attribute(tlv(TAG.integer, Uint8Array.of(1)))))).toBeUndefined();
    expect(nameText(read(sequence(setOfOne(sequence(encodeOid('1.2.3'), tlv(TAG.utf8String))))))).toBe('1.2.3=');
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
