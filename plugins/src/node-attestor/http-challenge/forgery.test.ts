// Strangers choose where the server asks. One test for each way in which that could be turned against it.
import { afterEach, describe, expect, it } from 'vitest';
import { ANY_HARMLESS, networksOf } from './addresses.ts';
import { hostNamesOf } from './host-names.ts';
import { closeAll, serve, verifyStranger as verify } from './stranger-for-tests.ts';

afterEach(closeAll);
const unproven = { code: 'permission-denied', message: expect.stringContaining('challenge verification failed') };

describe('a stranger cannot send the server', () => {
  it('to another place by a redirect', async () => {
    let visited = 0;
    let nonce = '';
    const target = await serve((_request, response) => {
      visited += 1;
      response.end(nonce);
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const port = await serve((request, response) => {
        response.writeHead(status, { location: `http://127.0.0.1:${target}${request.url}` }).end(nonce);
      });
      await expect(verify({ port }, {}, (text) => (nonce = text))).rejects.toMatchObject(unproven);
    }
    expect(visited).toBe(0);
  });

  it.each([
    '127.0.0.1',
    '10.0.0.5',
    '169.254.169.254',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    'a.0x7f',
    '017700000001',
    '::1',
    '[::1]',
    '1.2.3.4.',
  ])('to the address %s instead of a name', async (hostname) => {
    await expect(verify({ hostname })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it.each([
    'a/b',
    'a:80',
    'user@host',
    'a?b',
    'a#b',
    'a b',
    'a\r\nX: y',
    'a%2fb',
    'a\\b',
    '*.example.org',
    '.',
    '..',
    'a..b',
    'example.org.',
    'ä.example.org',
    'a'.repeat(64),
    `${'a.'.repeat(130)}b`,
  ])('to %j, which is no name of a host', async (hostname) => {
    await expect(verify({ hostname })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('to itself by name', async () => {
    for (const hostname of ['localhost', 'LocalHost']) {
      const refused = { code: 'permission-denied', message: expect.stringContaining('localhost') };
      await expect(verify({ hostname })).rejects.toMatchObject(refused);
    }
  });

  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    '168.63.129.16',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1',
    'fe80::1%lo',
    'ff02::1',
    'fd00:ec2::254',
    'fd20:ce::254',
    'no address',
  ])('to a name with the address %s', async (address) => {
    let asked = 0;
    const port = await serve((_request, response) => {
      asked += 1;
      response.end();
    });
    const resolver = async () => [{ address, family: address.includes(':') ? 6 : 4 }];
    await expect(verify({ port }, { resolver, networks: ANY_HARMLESS })).rejects.toMatchObject(unproven);
    expect(asked).toBe(0);
  });

  it('to private networks only if the operator leaves them open', () => {
    for (const address of [
      '10.1.2.3',
      '172.16.0.1',
      '192.168.1.1',
      '100.64.0.1',
      'fd12::1',
      '198.51.100.1',
      '2001:db8::1',
    ]) {
      expect(ANY_HARMLESS.has(address), address).toBe(true);
    }
    const chosen = networksOf(['10.0.0.0/8', 'fd12::/16']);
    for (const address of ['10.1.2.3', 'fd12::1', '::ffff:10.1.2.3']) expect(chosen.has(address), address).toBe(true);
    for (const address of ['192.168.1.1', '11.0.0.1', 'fd13::1', '']) expect(chosen.has(address), address).toBe(false);
  });

  it('to one bad address among good ones, or elsewhere at the second look', async () => {
    let looks = 0;
    let nonce = '';
    const port = await serve((_request, response) => response.end(nonce));
    const both = async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ];
    await expect(verify({ port }, { resolver: both }, (text) => (nonce = text))).rejects.toMatchObject(unproven);
    const rebinding = async () => {
      looks += 1;
      return [{ address: looks === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }];
    };
    await verify({ port }, { resolver: rebinding }, (text) => (nonce = text));
    expect(looks).toBe(1);
  });

  it.each([
    '../../../x',
    'a/../b',
    'a.b',
    '.',
    '',
    '1a',
    '-a',
    'a_b',
    'a%2e',
    'a?b',
    'a#b',
    'a\n',
    'ä',
    'a'.repeat(33),
  ])('to another path by the agent name %j', async (agentname) => {
    await expect(verify({ agentname })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('to ports that it may not use', async () => {
    for (const port of [0, -1, 1.5, 65_536, '80', null, undefined, [80]]) {
      await expect(verify({ port }), String(port)).rejects.toMatchObject({ code: 'invalid-argument' });
    }
    const wrongPort = /port 8080 is not allowed to be used by this server/;
    await expect(verify({ port: 8080 }, { requiredPort: 80 })).rejects.toThrow(wrongPort);
    await expect(verify({ port: 1024 }, { allowNonRootPorts: false })).rejects.toThrow('port 1024 is not allowed');
  });

  it('to names that the operator does not allow, in whole and in time', async () => {
    const hostNames = hostNamesOf(['p[0-9]\\.example\\.com', '([a-z]+)+\\.example\\.com']);
    expect(hostNames.allow('p1.example.com')).toBe(true);
    for (const hostname of [
      'p1.example.com.evil.org',
      'xp1.example.org',
      'p1-example.com',
      `${'a'.repeat(60)}.${'b'.repeat(60)}`,
    ]) {
      const refused = { code: 'permission-denied', message: expect.stringContaining('not allowed to connect') };
      await expect(verify({ hostname }, { hostNames }), hostname).rejects.toMatchObject(refused);
    }
  });
});
