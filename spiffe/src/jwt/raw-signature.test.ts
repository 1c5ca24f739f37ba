import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { derFromRaw, rawFromDer } from './raw-signature.ts';

describe('ECDSA signatures', () => {
  it.each([32, 48, 66])('of %i bytes a number go to DER and back', (size) => {
    const number = fc.oneof(
      fc.uint8Array({ minLength: size, maxLength: size }),
      fc.nat(size - 1).map((zeros) => new Uint8Array(size).fill(0xff, zeros)),
    );
    fc.assert(
      fc.property(number, number, (r, s) => {
        const raw = Uint8Array.from([...r, ...s]);
        expect(rawFromDer(derFromRaw(raw), size)).toEqual(raw);
      }),
    );
  });

  it('of zeros too', () => {
    expect([...derFromRaw(new Uint8Array(64))]).toEqual([0x30, 6, 2, 1, 0, 2, 1, 0]);
    expect(rawFromDer(Uint8Array.of(0x30, 6, 2, 1, 0, 2, 1, 0), 32)).toEqual(new Uint8Array(64));
  });

  it('in broken DER are refused', () => {
    const der = derFromRaw(Uint8Array.from({ length: 64 }, (_, index) => index + 1));
    for (let index = 0; index < der.length; index++)
      expect(() => rawFromDer(der.subarray(0, index), 32)).toThrow(TypeError);
    expect(() => rawFromDer(Uint8Array.from([...der, 0]), 32)).toThrow(TypeError);
    expect(() => rawFromDer(der, 31)).toThrow(TypeError);
    for (const at of [0, 1, 2, 3]) {
      const broken = der.slice();
      broken[at] = (broken[at] ?? 0) ^ 1;
      expect(() => rawFromDer(broken, 32)).toThrow(TypeError);
    }
  });
});
