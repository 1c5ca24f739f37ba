import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, decodeBase64url, encodeBase64, encodeBase64url } from './base64.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

describe('base64url and base64', () => {
  it('agree with Node and come back', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(encodeBase64url(value)).toBe(Buffer.from(value).toString('base64url'));
        expect(encodeBase64(value)).toBe(Buffer.from(value).toString('base64'));
        expect(decodeBase64url(encodeBase64url(value))).toEqual(value);
        expect(decodeBase64(encodeBase64(value))).toEqual(value);
      }),
    );
  });

  it('encode more than one chunk', () => {
    const long = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7);
    expect(encodeBase64(long)).toBe(Buffer.from(long).toString('base64'));
  });

  it('have one spelling per value', () => {
    const unit = fc.constantFrom(...Array.from('ABab09-_+/= \n.é\u0141'));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 9 }), (text) => {
        const decodedUrl = decodeBase64url(text);
        if (decodedUrl !== undefined) expect(encodeBase64url(decodedUrl)).toBe(text);
        const decoded = decodeBase64(text);
        if (decoded !== undefined) expect(encodeBase64(decoded)).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });

  it.each(['A', 'AAAAA', 'AB', 'AAB', 'AA==', 'AAA=', 'AA+A', 'AA/A', 'AA A', 'AAAA\n', ' AAAA', 'AA\u0141A', '='])(
    'base64url refuses %j',
    (text) => {
      expect(decodeBase64url(text)).toBeUndefined();
    },
  );

  it.each(['A', 'AA', 'AAA', 'AB==', 'AAB=', 'A===', '====', 'AA=A', 'AA-A', 'AA_A', 'AAAA\n', 'AA==AAAA', 'AAAA===='])(
    'base64 refuses %j',
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );
});
