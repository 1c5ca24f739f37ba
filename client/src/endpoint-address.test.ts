import { describe, expect, it } from 'vitest';
import { grpcTarget, parseEndpointAddress, resolveEndpoint } from './endpoint-address.ts';

const accepted: [text: string, target: string][] = [
  ['tcp://1.2.3.4:5', 'ipv4:1.2.3.4:5'],
  ['tcp://[::1]:8000', 'ipv6:[::1]:8000'],
  ['tcp://127.0.0.1:65535', 'ipv4:127.0.0.1:65535'],
  ['unix:///foo', 'unix:/foo'],
  ['unix:/path/to/endpoint.sock', 'unix:/path/to/endpoint.sock'],
  ['unix:////foo', 'unix:/foo'],
  ['unix:///a@b%3Fc.sock', 'unix:/a@b?c.sock'],
  ['unix:///größe', 'unix:/größe'],
];

const rejected = [
  '',
  '\t',
  ' ',
  'blah',
  '/path',
  '///foo',
  'blah:///foo',
  'http://1.2.3.4:5',
  'npipe:pipeName',
  'tcp:opaque',
  'tcp://',
  'tcp:///test',
  'tcp://foo',
  'tcp://foo:9000',
  'tcp://localhost:8000',
  'tcp://1.2.3.4',
  'tcp://1.2.3.4:',
  'tcp://1.2.3.4:0',
  'tcp://1.2.3.4:080',
  'tcp://1.2.3.4:65536',
  'tcp://1.2.3.4:99999',
  'tcp://1.2.3.4:-5',
  'tcp://1.2.3.4:5x',
  'tcp://1.2.3.4:5\n',
  'tcp://127.1:80',
  'tcp://0x7f000001:80',
  'tcp://::1:80',
  'tcp://[::1]',
  'tcp://[1.2.3.4]:80',
  'tcp://[fe80::1%eth0]:80',
  'tcp://1.2.3.4:5/',
  'tcp://1.2.3.4:5/path',
  'tcp://1.2.3.4:5?whatever',
  'tcp://1.2.3.4:5?',
  'tcp://1.2.3.4:5#whatever',
  'tcp://1.2.3.4:5#',
  'tcp://@1.2.3.4:5',
  'tcp://john:doe@1.2.3.4:5/path',
  'tcp://:secret@127.0.0.1:8080',
  'unix:',
  'unix:opaque',
  'unix:tmp/sock',
  'unix:a.sock',
  'unix:/',
  'unix://',
  'unix:///',
  'unix:////',
  'unix:///dir/',
  'unix://a.sock',
  'unix://h/a.sock',
  'unix://@/a.sock',
  'unix://foo?whatever',
  'unix:///foo?whatever',
  'unix:///foo?',
  'unix:///foo#whatever',
  'unix:///foo#',
  'unix://john:doe@foo/path',
  'unix://tmp/spire-agent/public/api.sock',
  'unix:///foo%',
  'unix:///foo%00bar',
  'unix:///foo\u0000bar',
  'unix:///foo bar',
  'unix:///foo\n',
  `unix:///${'a'.repeat(107)}`,
  `unix:///${'é'.repeat(60)}`,
];

describe('endpoint address (WEP-10 to WEP-13)', () => {
  it.each(accepted)('accepts %j', (text, target) => {
    expect(grpcTarget(parseEndpointAddress(text))).toBe(target);
  });

  it.each(rejected)('rejects %j', (text) => {
    expect(() => parseEndpointAddress(text)).toThrow(expect.objectContaining({ code: 'invalid-endpoint' }));
  });
});

describe('choosing the address (WEP-09)', () => {
  const environment = { SPIFFE_ENDPOINT_SOCKET: 'unix:///from/environment' };

  it('takes the environment when nothing is passed', () => {
    expect(resolveEndpoint(undefined, environment)).toEqual({ kind: 'unix', path: '/from/environment' });
  });

  it('prefers what is passed', () => {
    expect(resolveEndpoint('unix:///passed', environment)).toEqual({ kind: 'unix', path: '/passed' });
  });

  it('has no default of its own', () => {
    const none = expect.objectContaining({ code: 'no-endpoint' });
    expect(() => resolveEndpoint(undefined, {})).toThrow(none);
    expect(() => resolveEndpoint(undefined, { SPIFFE_ENDPOINT_SOCKET: '' })).toThrow(none);
  });

  it('does not fall back to the environment from an empty address', () => {
    expect(() => resolveEndpoint('', environment)).toThrow(expect.objectContaining({ code: 'invalid-endpoint' }));
  });
});
