// What running processes tell, and how much they log, by the command line's own words.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CliContext, main } from '@steeple/cli';
import { toPem } from '@steeple/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Home } from './home.ts';

let home: Home;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp('/tmp/st-say-');
  home = await Home.open({ agent: { admin_socket_path: join(dir, 'admin.sock') } });
  await home.ready();
});
afterAll(() => home[Symbol.asyncDispose]());

async function steeple(words: readonly string[], env: Record<string, string> = {}) {
  let [out, err] = ['', ''];
  const context: CliContext = {
    env,
    signal: new AbortController().signal,
    colour: false,
    uid: 0,
    userName: 'someone',
    out: (text) => {
      out += `${text}\n`;
    },
    err: (text) => {
      err += `${text}\n`;
    },
    now: () => Date.now() / 1000,
  };
  return { code: await main([...words], context), out, err };
}

it.each([
  ['server', [], () => ({ STEEPLE_SERVER_SOCKET: home.server.addresses.socketPath })],
  ['agent', ['agent'], () => ({ STEEPLE_AGENT_ADMIN_SOCKET: join(dir, 'admin.sock') })],
] as const)('the log of the %s', async (_of, noun, env) => {
  const first = await steeple([...noun, 'logger', 'get'], env());
  const start = /at start: +(\w+)/.exec(first.out)?.[1];
  expect(start).toBeDefined();
  expect((await steeple([...noun, 'logger', 'set', 'WARN'], env())).out).toMatch(/^level: +warn\n/);
  const json = await steeple([...noun, 'logger', 'get', '-o', 'json'], env());
  expect(JSON.parse(json.out)).toMatchObject({ current_level: 'WARN', launch_level: start?.toUpperCase() });
  expect((await steeple([...noun, 'logger', 'reset'], env())).out).toContain(`level:    ${start}`);
  const wrong = await steeple([...noun, 'logger', 'set', 'loud'], env());
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('use one of trace, debug')]);
});

it('what the processes tell about themselves', async () => {
  const socket = home.server.addresses.socketPath;
  expect((await steeple(['debug', '--socket', socket])).out).toMatch(
    /agents: +1\nentries: +0\nbundles: +1\nown SVID: +spiffe:\/\/home\.test\/spire\/server, in .*\nsigned by: +spiffe:\/\/home\.test, in/,
  );
  expect((await steeple(['agent', 'debug', '--socket', join(dir, 'admin.sock')])).out).toMatch(
    /last heard of the server: +\S+( ago)?\n[\s\S]*own SVID: +spiffe:\/\/home\.test\/spire\/agent\/join_token\//,
  );
  expect((await steeple(['agent', 'debug'])).err).toContain('admin_socket_path');
});

it('adds authorities to the own bundle', async () => {
  await using other = await Home.open();
  const { x509Authorities } = await other.admin.bundle.getBundle({});
  const path = join(dir, 'other.pem');
  await writeFile(path, x509Authorities.map(({ asn1 }) => toPem('CERTIFICATE', asn1)).join(''));
  const socket = home.server.addresses.socketPath;
  const told = await steeple(['bundle', 'append', '--path', path, '--socket', socket]);
  expect(told.code).toBe(0);
  expect(told.out.match(/X\.509 authority/g)).toHaveLength(2);
  expect((await home.admin.bundle.getBundle({})).x509Authorities).toHaveLength(2);
});

it('an update changes and clears what it names, and keeps the rest', async () => {
  const more = { admin: true, dnsNames: ['a.test'], additionalAttributes: { jwtSvidIncludeJti: true } };
  await home.addEntry({ path: '/updated', id: 'u', hint: 'h', more });
  const update = (...words: string[]) =>
    steeple(['entry', 'update', 'u', ...words, '--socket', home.server.addresses.socketPath]);
  const stored = () => home.admin.entry.getEntry({ id: 'u' });

  expect((await update('--disable-x509-svid-prefetch')).code).toBe(0);
  expect((await stored()).additionalAttributes).toMatchObject({
    disableX509SvidPrefetch: true,
    jwtSvidIncludeJti: true,
  });
  expect((await update('--clear', 'jwt-svid-include-jti', '--clear', 'admin', '--hint', 'new')).code).toBe(0);
  expect(await stored()).toMatchObject({
    admin: false,
    hint: 'new',
    dnsNames: ['a.test'],
    additionalAttributes: { disableX509SvidPrefetch: true, jwtSvidIncludeJti: false },
  });
  expect((await update('--clear', 'dns', '--dns', 'b.test')).err).toContain('dnsNames is to be set and cleared');
  expect((await update('--clear', 'selector')).err).toContain("'selector' cannot be cleared");
  expect((await update()).err).toContain('nothing to change');
});
