// What a person gets wrong before anything runs: flags and configuration files.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOBODY, noOtherUser } from '../stack/another-user.ts';
import { refusal, spawnSteeple, steepleEnds } from './refusal.ts';

let dir: string;
const file = async (name: string, content: string | Uint8Array) => {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
};
const refusedConfig = async (name: string, content: string | Uint8Array) =>
  refusal('server', 'run', '--config', await file(name, content));

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'steeple-bad-config-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.concurrent('wrong flags', () => {
  const nowhere = ['--socket', '/nonexistent/api.sock'];
  it.each<[string, readonly string[], RegExp]>([
    ['an unknown command', ['servr', 'run'], /unknown command 'servr'[^]*Did you mean server\?/],
    ['an unknown flag', ['server', 'run', '--confg', 'x'], /unknown option '--confg'[^]*Did you mean --config\?/],
    ['a flag that is missing', ['agent', 'run'], /required option '-c, --config <file>'/],
    ['a flag without its value', ['server', 'run', '--config'], /'-c, --config <file>' argument missing/],
    ['a value that is no choice', ['server', 'run', '-c', 'x', '--log-level', 'loud'], /'loud'[^]*error, warn, info/],
    ['surplus arguments', ['entry', 'list', 'all', 'of', 'them'], /too many arguments/],
    [
      'a life beyond all numbers',
      ['token', 'generate', '--ttl', '9999999h', ...nowhere],
      /--ttl: '9999999h' is too long/,
    ],
    ['no duration', ['token', 'generate', '--ttl', 'soon', ...nowhere], /--ttl: 'soon'[^]*90s/],
    [
      'no SPIFFE ID',
      ['entry', 'create', '--spiffe-id', 'web', '--selector', 'unix:uid:1', ...nowhere],
      /--spiffe-id: 'web'[^]*spiffe:\/\/example.org/,
    ],
    [
      'no selector',
      ['entry', 'create', '--spiffe-id', 'spiffe://example.org/w', '--selector', 'root', ...nowhere],
      /--selector: 'root'[^]*unix:uid:1000/,
    ],
    ['nobody at the socket', ['entry', 'list', ...nowhere], /no socket at \/nonexistent[^]*steeple server run/],
  ])('%s: named, with what would do', async (_what, args, message) => {
    expect(await refusal(...args)).toMatch(message);
  });
});

describe.concurrent('a configuration with a mistake', () => {
  it.each([
    ['typo.json', '{\n  "server": {\n    "trust_domain": "example.org",\n    "bind_prt": 1\n  }\n}', '4:5'],
    ['typo.conf', 'server {\n  trust_domain = "example.org"\n  bind_prt = 1\n}\n', '3:3'],
    ['typo.yaml', 'server:\n  trust_domain: example.org\n  bind_prt: 1\n', '3:3'],
  ])('%s: the unknown key with its place and the key that was meant', async (name, content, place) => {
    const said = await refusedConfig(name, content);
    expect(said).toContain(`${join(dir, name)}:${place}: server.bind_prt: unknown key, did you mean "bind_port"?`);
  });

  it('tells every mistake at once, and no value, which may be a secret', async () => {
    const text = 'agent {\n  trust_domain = "Not A Domain"\n  server_port = 70000\n  join_token = 12345678\n}\n';
    const said = await refusal('agent', 'validate', '--config', await file('many.conf', text));
    for (const part of [':2:3: agent.trust_domain', ':3:3: agent.server_port', ':4:3: agent.join_token']) {
      expect(said).toContain(join(dir, 'many.conf') + part);
    }
    expect(said).toMatch(/agent\.server_address: is required/);
    expect(said).not.toContain('12345678');
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['deep.json', '{"a":'.repeat(50_000), /deep\.json:1:\d+: nested deeper than 64 levels/],
    ['deep.conf', 'a { '.repeat(50_000), /deep\.conf:1:\d+: nested deeper than 64 levels/],
    ['deep.yaml', '['.repeat(50_000), /deep\.yaml:1:\d+: nested too deep/],
    ['bomb.yaml', 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n', /bomb\.yaml:2:\d+: aliases are not allowed/],
    [
      'proto.json',
      '{"server":{"trust_domain":"a","__proto__":{"x":1}}}',
      /proto\.json:1:\d+: .*__proto__.*unknown key/,
    ],
    ['twice.json', '{"server":{},"server":{}}', /twice\.json:1:14: key "server" is set twice/],
    ['open.conf', 'server {\n  trust_domain = "example.org\n', /open\.conf:2:\d+/],
    ['empty.conf', '', /empty\.conf:1:1: server: is required/],
    ['nul.conf', 'server {\0}', /nul\.conf:1:9: unexpected NUL character/],
    ['large.conf', '#'.repeat(2 ** 21), /large\.conf: file is larger than 1048576 bytes/],
    ['latin.conf', Uint8Array.of(0x23, 0xe9, 0x0a), /latin\.conf: file is not UTF-8 text/],
  ])('%s is refused with its place', async (name, content, message) => {
    expect(await refusedConfig(name, content)).toMatch(message);
  });

  it('a program, a folder, a missing file and an endless one are no configuration', async () => {
    const binary = join(dir, 'binary.json');
    await copyFile(process.execPath, binary);
    await mkdir(join(dir, 'folder.conf'));
    const answers = await Promise.all(
      [binary, join(dir, 'folder.conf'), join(dir, 'missing.conf'), '/dev/zero'].map((path) =>
        refusal('server', 'validate', '--config', path),
      ),
    );
    expect(answers[0]).toMatch(/binary\.json: file is larger than/);
    expect(answers[1]).toMatch(/folder\.conf: cannot be read: .*directory/);
    expect(answers[2]).toMatch(/missing\.conf: cannot be read: .*no such file/);
    expect(answers[3]).toMatch(/\/dev\/zero: file is larger than/);
  });

  it('a pipe into which nobody writes does not hold a process that is told to stop', async () => {
    const path = join(dir, 'pipe.conf');
    execFileSync('mkfifo', [path]);
    const server = spawnSteeple(['server', 'run', '--config', path]);
    const writer = await open(path, 'w'); // opens once the server reads
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
    await writer.close();
  });

  it('a file that this user may not read is named', async ({ skip }) => {
    const isRoot = process.getuid?.() === 0;
    skip(isRoot && noOtherUser !== undefined, noOtherUser);
    const path = await file('unreadable.conf', 'server {}');
    await chmod(path, 0);
    await chmod(dir, 0o755);
    // Root reads everything, so it lets nobody try.
    const user = isRoot ? { uid: NOBODY } : {};
    const { code, stderr } = await steepleEnds(['server', 'validate', '--config', path], user);
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(stderr).toContain(`${path}: cannot be read: EACCES`);
  });
});
