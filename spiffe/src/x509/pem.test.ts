import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpiffeError } from '../errors.ts';
import { errorOf } from '../testing/error-of.ts';
import { forge } from '../testing/forge-certificate.ts';
import { parseCertificatesPem, parsePem, toPem } from './pem.ts';

const { raw } = forge().certificate;

describe('PEM', () => {
  it('brings bytes back, with text around and between', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (der) => {
        const text = `subject=x\n${toPem('A', der)}note\r\n${toPem('B', raw).replaceAll('\n', '\r\n')}`;
        expect(parsePem(text)).toEqual([der, raw]);
        expect(parsePem(text, 'B')).toEqual([raw]);
        expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(65);
      }),
    );
  });

  it('finds certificates among other things, or none', () => {
    const text = toPem('PRIVATE KEY', Uint8Array.of(1)) + toPem('CERTIFICATE', raw);
    expect(parseCertificatesPem(text).map(({ subjectText }) => subjectText)).toEqual(['CN=leaf']);
    expect(parseCertificatesPem('')).toEqual([]);
  });

  it.each([
    ['never ends', '-----BEGIN A-----\nAAAA\n'],
    ['ends as something else', '-----BEGIN A-----\nAAAA\n-----END B-----\n'],
    ['is empty', '-----BEGIN A-----\n-----END A-----\n'],
    ['is not base64', '-----BEGIN A-----\nAA*A\n-----END A-----\n'],
    ['has bits left over', '-----BEGIN A-----\nAB==\n-----END A-----\n'],
    ['begins within another', '-----BEGIN A-----\nAAAA\n-----BEGIN A-----\nAAAA\n-----END A-----\n'],
    ['has headers', '-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END A-----\n'],
  ])('refuses a block that %s', (_, text) => {
    expect(errorOf(() => parsePem(text)).code).toBe('malformed-der');
  });

  it('takes linear time for hostile text', () => {
    const hostile = '-----BEGIN A-----'.repeat(50_000);
    expect(() => parsePem(hostile)).toThrow(SpiffeError);
    expect(() => parsePem(`-----BEGIN ${'A'.repeat(1_000_000)}`)).toThrow(SpiffeError);
  });
});
