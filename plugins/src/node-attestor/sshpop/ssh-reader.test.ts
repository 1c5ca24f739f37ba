import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SshFormatError, SshReader } from './ssh-reader.ts';
import { sshPositive, sshString } from './ssh-writer.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('SshReader', () => {
  // The examples of RFC 4251 section 5.
  it('reads what the standard gives as examples', () => {
    expect(new SshReader(hex('29b7f4aa')).uint32('x')).toBe(699921578);
    expect(new SshReader(hex('00000007 74657374696e67')).text('x')).toBe('testing');
    const number = new SshReader(hex('00000008 09a378f9b2e332a7')).positive('x');
    expect(Buffer.from(number).toString('hex')).toBe('09a378f9b2e332a7');
    expect(new SshReader(hex('00000002 0080')).positive('x')).toEqual(hex('80'));
  });

  it.each([
    ['a number below zero', '00000002 edcc'],
    ['zero', '00000000'],
    ['zero in another form', '00000001 00'],
    ['needless zeros', '00000002 0001'],
    ['a length beyond the end', '00000005 01020304'],
    ['the greatest length', 'ffffffff 01'],
    ['half a length', '0000'],
  ])('takes %s for no positive number', (_name, bytes) => {
    expect(() => new SshReader(hex(bytes)).positive('the number')).toThrow(SshFormatError);
  });

  it('says what is cut off, what is no text, and that something follows', () => {
    expect(() => new SshReader(hex('00')).uint64('the serial number')).toThrow('the serial number is cut off');
    expect(() => new SshReader(hex('00000001 ff')).text('the key ID')).toThrow('the key ID is not UTF-8');
    expect(() => new SshReader(hex('00')).finish('the key')).toThrow('something follows the key');
  });

  it('reads back what was written, and nothing of it cut short', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (content, cut) => {
        const written = sshString(content);
        const reader = new SshReader(written);
        expect(Buffer.from(reader.bytes('x')).equals(content)).toBe(true);
        reader.finish('x');
        const short = written.subarray(0, cut % written.length);
        expect(() => new SshReader(short).bytes('x')).toThrow(SshFormatError);
      }),
    );
  });

  it('has one form for each positive number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 4096n }), (number) => {
        const digits = number.toString(16);
        const bytes = hex(digits.length % 2 === 0 ? digits : `0${digits}`);
        const written = sshPositive(Buffer.concat([Buffer.alloc(3), bytes]));
        expect(Buffer.from(new SshReader(written).positive('x')).toString('hex')).toBe(bytes.toString('hex'));
      }),
    );
  });
});
