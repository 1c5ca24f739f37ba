import { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { expect, it } from 'vitest';
import { accepted, refusal } from './refusal.ts';

const parse = (text: string) => SpiffeId.parse(text);
const onHost = (host: string) => `spiffe://${host}/p`;
const onPath = (path: string) => `spiffe://a.test${path}`;

const REFUSED: readonly [row: string, what: string, texts: readonly string[]][] = [
  [
    'ID-01',
    'another scheme, or none',
    [
      'http://a.test/p',
      'spiff://a.test/p',
      'xspiffe://a.test/p',
      'spiffe:/a.test/p',
      'spiffe:a.test/p',
      'a.test/p',
      's',
      '',
    ],
  ],
  ['ID-02', 'no trust domain', ['spiffe://', 'spiffe:///', 'spiffe:///p']],
  ['ID-03', 'a query, even an empty one', [onPath('/p?x=1'), onPath('/p?'), onPath('?')]],
  ['ID-04', 'a fragment, even an empty one', [onPath('/p#f'), onPath('/p#'), onPath('#')]],
  [
    'ID-06',
    'userinfo or a port, even empty ones',
    ['u@a.test', 'u:p@a.test', '@a.test', 'a.test:443', 'a.test:'].map(onHost),
  ],
  ['ID-09', 'percent escapes in the trust domain', ['%61.test', '%F0%9F%A4%AF'].map(onHost)],
  ['ID-11', 'percent escapes in the path', ['/%61', '/%2e%2e/x', '/a%2Fb', '/%F0%9F%A4%AF', '/elem%5uent'].map(onPath)],
  ['ID-12', 'empty segments', ['//', '//p', '/p//q'].map(onPath)],
];

it.each(REFUSED)('[%s] refuses %s', (_row, _what, texts) => {
  expect(accepted(texts, parse)).toEqual([]);
});

it('[ID-08] allows exactly 39 characters in the trust domain', () => {
  const points = Array.from({ length: 256 }, (_, point) => String.fromCodePoint(point));
  // A slash ends the trust domain, and what follows is a path.
  const allowed = accepted(points, (character) => parse(onHost(`td${character}`))).filter((one) => one !== '/');
  expect(allowed.join('')).toBe('-.0123456789_abcdefghijklmnopqrstuvwxyz');
  expect(accepted(['é', '[::1]', 'a test', 'a~b', 'a$b', 'a+b', 'ſ', 'K'].map(onHost), parse)).toEqual([]);
});

it('[ID-10] treats names that look like addresses or DNS names like any other', () => {
  const hosts = ['1.2.3.4', '999.999.999.999', 'a_b.test', 'a..b', '.a', 'a.', '-a-', '_'];
  for (const host of hosts) expect(parse(onHost(host)).toString()).toBe(onHost(host));
  // Nothing is looked up either.
  expect(process.getActiveResourcesInfo().filter((name) => /AddrInfo|Query/.test(name))).toEqual([]);
});

it('[ID-13] refuses dot segments and nothing that only resembles them', () => {
  const dots = ['/.', '/..', '/./p', '/p/.', '/p/./q', '/p/..', '/../p', '/p/../q'].map(onPath);
  expect(accepted(dots, parse)).toEqual([]);
  const names = ['/.p', '/..p', '/...', '/p.', '/p..'].map(onPath);
  expect(accepted(names, parse)).toEqual(names);
});

it('[ID-14] refuses a trailing slash and accepts the ID of a trust domain', () => {
  expect(accepted(['spiffe://a.test/', 'spiffe://a.test/p/'], parse)).toEqual([]);
  expect(parse('spiffe://a.test').path).toBe('');
});

it('[ID-15] allows exactly 65 characters in a segment', () => {
  const points = Array.from({ length: 256 }, (_, point) => String.fromCodePoint(point)).filter((one) => one !== '/');
  const allowed = accepted(points, (character) => parse(onPath(`/path${character}`)));
  expect(allowed.join('')).toBe('-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz');
  expect(accepted(['/p\n', '/p\0', '/a:b', '/a@b', '/a~', '/*', '/a\\b', '/ａ'].map(onPath), parse)).toEqual([]);
});

it('[ID-19] draws the line for trust domain names at 255 bytes', () => {
  expect(parse(onHost('a'.repeat(255))).trustDomain.name).toHaveLength(255);
  expect(accepted([onHost('a'.repeat(256))], parse)).toEqual([]);
  expect(refusal(() => TrustDomain.parse('a'.repeat(256))).code).toBe('invalid-trust-domain');
});

it('[ID-20] tells paths apart by case, and never takes a mixed-case scheme or trust domain without normalising', () => {
  expect(parse('spiffe://a.test/Service').equals(parse('spiffe://a.test/service'))).toBe(false);
  const mixed = ['SPIFFE://a.test/p', 'Spiffe://a.test/p', 'spiffe://A.test/p', 'ſpiffe://a.test/p'];
  expect(accepted(mixed, parse)).toEqual([]);
});
