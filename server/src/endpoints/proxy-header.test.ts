import { describe, expect, it } from 'vitest';
import { readProxyHeader } from './proxy-header.ts';

const read = (text: string) => readProxyHeader(Buffer.from(text, 'latin1'));

const v2 = (command: number, family: number, addresses: readonly number[], length = addresses.length): Buffer =>
  Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    Buffer.from([command, family, length >> 8, length & 0xff, ...addresses]),
  ]);

const ipv4 = [192, 0, 2, 1, 10, 0, 0, 1, 0x1f, 0x90, 0, 80];
const ipv6 = [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1, ...Array(16).fill(0), 0x1f, 0x90, 0, 80];

describe('version 1', () => {
  it.each([
    ['PROXY TCP4 192.0.2.1 10.0.0.1 8080 443\r\nrest', { address: '192.0.2.1', port: 8080 }],
    ['PROXY TCP6 2001:db8::1 ::1 8080 443\r\n', { address: '2001:db8::1', port: 8080 }],
    ['PROXY UNKNOWN\r\n', undefined],
    ['PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n', undefined],
  ])('reads %j', (text, source) => {
    expect(read(text)).toEqual({ length: text.indexOf('\r\n') + 2, source });
  });

  it.each([
    'PROXY TCP4 2001:db8::1 ::1 8080 443\r\n',
    'PROXY TCP4 192.0.2.256 10.0.0.1 8080 443\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 65536 443\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 08 443\r\n',
    'PROXY TCP4 192.0.2.1\r\n',
    'PROXY UDP4 192.0.2.1 10.0.0.1 8080 443\r\n',
    'PROXY \r\n',
    `PROXY TCP4 ${'1'.repeat(200)}`,
    `PROXY UNKNOWN ${'1'.repeat(200)}\r\n`,
  ])('refuses %j', (text) => {
    expect(() => read(text)).toThrow();
  });

  it('waits for its end', () => {
    const text = 'PROXY TCP4 192.0.2.1 10.0.0.1 8080 443\r\n';
    for (let length = 0; length < text.length; length++) expect(read(text.slice(0, length))).toBe('incomplete');
  });
});

describe('version 2', () => {
  it('reads both families, with what follows the addresses', () => {
    expect(readProxyHeader(v2(0x21, 0x11, ipv4))).toEqual({ length: 28, source: { address: '192.0.2.1', port: 8080 } });
    expect(readProxyHeader(v2(0x21, 0x21, [...ipv6, 4, 0, 1, 0]))).toEqual({
      length: 56,
      source: { address: '2001:db8::1', port: 8080 },
    });
  });

  it('has no source for the proxy itself and for other families', () => {
    expect(readProxyHeader(v2(0x20, 0, []))).toEqual({ length: 16, source: undefined });
    expect(readProxyHeader(v2(0x20, 0x11, ipv4))).toEqual({ length: 28, source: undefined });
    expect(readProxyHeader(v2(0x21, 0x31, [1, 2]))).toEqual({ length: 18, source: undefined });
  });

  it.each([
    v2(0x11, 0x11, ipv4),
    v2(0x22, 0x11, ipv4),
    v2(0x21, 0x11, ipv4.slice(0, 11)),
    v2(0x21, 0x21, ipv6.slice(0, 35)),
    v2(0x21, 0x11, ipv4, 60_000),
  ])('refuses %j', (header) => {
    expect(() => readProxyHeader(header)).toThrow();
  });

  it('waits for its end', () => {
    const header = v2(0x21, 0x11, ipv4);
    for (let length = 0; length < header.length; length++) {
      expect(readProxyHeader(header.subarray(0, length))).toBe('incomplete');
    }
  });
});

it('is told from TLS and other beginnings by the first byte that differs', () => {
  expect(readProxyHeader(Buffer.from([0x16, 3, 1]))).toBe('none');
  expect(read('PRI * HTTP/2.0')).toBe('none');
  expect(read('\r\n\r\nGET')).toBe('none');
});
