// SPIRE's command lines on our processes. The expected texts are those of the real programs, see test/interop/cli.
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compatMain } from '../../cli/src/compat/main.ts';
import { Home, until } from './home.ts';

let home: Home;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp('/tmp/st-compat-');
  home = await Home.open({ agent: { admin_socket_path: join(dir, 'admin.sock') } });
  await home.ready();
});
afterAll(() => home[Symbol.asyncDispose]());

interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function told(
  program: 'spire-server' | 'spire-agent',
  words: readonly string[],
  more: { env?: Record<string, string>; stdin?: string } = {},
): Promise<Told> {
  let [out, err] = ['', ''];
  const code = await compatMain(program, words, {
    env: more.env ?? {},
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    stdin: async () => Buffer.from(more.stdin ?? ''),
    now: () => Date.now() / 1000,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

const spireServer = (...words: string[]): Promise<Told> =>
  told('spire-server', [...words, '-socketPath', home.server.addresses.socketPath]);
const spireAgent = (...words: string[]): Promise<Told> => told('spire-agent', [...words, '-socketPath', home.socket]);

const web = ['-parentID', 'spiffe://home.test/parent', '-spiffeID', 'spiffe://home.test/web'];

describe('spire-server', () => {
  it('creates, shows, counts, updates and deletes an entry', async () => {
    const created = await spireServer('entry', 'create', ...web, '-selector', 'unix:uid:1', '-entryID', 'w', '-admin');
    const text = [
      'Entry ID                : w',
      'SPIFFE ID               : spiffe://home.test/web',
      'Parent ID               : spiffe://home.test/parent',
      'Revision                : 0',
      'X509-SVID TTL           : default',
      'JWT-SVID TTL            : default',
      'Selector                : unix:uid:1',
      'Admin                   : true',
      '',
      '',
    ].join('\n');
    expect(created).toEqual({ code: 0, out: text, err: '' });
    expect(await spireServer('entry', 'show')).toEqual({ code: 0, out: `Found 1 entry\n${text}`, err: '' });
    expect((await spireServer('entry', 'count')).out).toBe('1 registration entry\n');
    const again = await spireServer('entry', 'create', ...web, '-selector', 'unix:uid:1');
    expect(again.code).toBe(1);
    expect(again.err).toMatch(
      /^Failed to create the following entry \(code: AlreadyExists, msg: "similar entry already exists"\):\nEntry ID {16}: \(none\)\n/,
    );
    expect(again.err).toMatch(/\n\nError: failed to create one or more entries\n$/);
    // With json the outcome of an item does not show in the exit code.
    const json = await spireServer('entry', 'create', ...web, '-selector', 'unix:uid:1', '-output', 'json');
    expect([json.code, json.err]).toEqual([0, '']);
    expect(JSON.parse(json.out)).toMatchObject({ results: [{ status: { code: 6 }, entry: { id: '' } }] });
    expect((await spireServer('entry', 'update', '-entryID', 'w', ...web, '-selector', 'a:b')).out).toContain(
      'Revision                : 1\n',
    );
    const deleted = await spireServer('entry', 'delete', '-entryID', 'w');
    expect(deleted.out).toBe('Deleted entry with ID: w\n\n\nDeleted 1 entries successfully');
  });

  it('prints JSON on one line with sorted keys, empty values and no nulls', async () => {
    expect((await spireServer('entry', 'show', '-output', 'json')).out).toBe('{"entries":[],"next_page_token":""}\n');
    const { out } = await spireServer('bundle', 'show', '-output', 'json');
    expect(Object.keys(JSON.parse(out) as object)).toEqual([
      'jwt_authorities',
      'refresh_hint',
      'sequence_number',
      'trust_domain',
      'wit_authorities',
      'x509_authorities',
    ]);
  });

  it('takes entries from a file and from standard input', async () => {
    const file = {
      entries: [
        {
          spiffe_id: 'spiffe://home.test/f',
          parent_id: 'spiffe://home.test/p',
          selectors: [{ type: 'a', value: 'b' }],
          entryExpiry: 4102444800,
          unknown: 1,
        },
      ],
    };
    const path = join(dir, 'entries.json');
    await writeFile(path, JSON.stringify(file));
    expect((await spireServer('entry', 'create', '-data', path)).out).toContain(
      'Expiration time         : 2100-01-01 00:00:00 +0000 UTC\n',
    );
    const words = ['entry', 'create', '-data', '-', '-socketPath', home.server.addresses.socketPath];
    expect((await told('spire-server', words, { stdin: '{"entries": [{}]}' })).err).toBe(
      'Error: invalid SPIFFE ID: cannot be empty\n',
    );
  });

  it.each<[string[], number, string]>([
    [
      ['entry', 'show', '-entryID', 'none'],
      1,
      'Error: error fetching entry ID none: rpc error: code = NotFound desc = entry not found\n',
    ],
    [['entry', 'delete'], 1, 'Error: an entry ID is required\n'],
    [['agent', 'show', '-spiffeID', 'x'], 1, 'Error: scheme is missing or invalid\n'],
    [
      ['token', 'generate', '-ttl', '0'],
      1,
      'Error: rpc error: code = InvalidArgument desc = ttl is required, you must provide one\n',
    ],
    [['logger', 'set', '-level', 'loud'], 1, 'Error: the value "loud" is not a valid setting\n'],
    [
      ['upstreamauthority', 'taint', '-subjectKeyID', '00'],
      1,
      'Error: could not taint X.509 upstream authority: rpc error: code = FailedPrecondition desc = upstream authority is not configured\n',
    ],
  ])('%j fails with SPIRE’s words', async (words, code, err) => {
    expect(await spireServer(...words)).toEqual({ code, out: '', err });
  });

  it('finds its socket by instance and environment, and says when nobody is there', async () => {
    const socket = home.server.addresses.socketPath;
    const count = ['entry', 'count'];
    const env = { SPIRE_SERVER_PRIVATE_SOCKET: socket };
    expect((await told('spire-server', count, { env })).code).toBe(0);
    const template = { SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE: socket.replace('api.sock', '%i.sock') };
    expect((await told('spire-server', [...count, '-instance', 'api'], { env: template })).code).toBe(0);
    expect((await told('spire-server', [...count, '-instance', 'api'])).err).toBe(
      'Error: you must define SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE to use the instance flag\n',
    );
    expect((await told('spire-server', [...count, '-socketPath', '/none.sock'])).err).toBe(
      'Error: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ///none.sock: connect: no such file or directory"\n',
    );
  });

  it('shows the usage of a command whose flags it does not understand', async () => {
    const { code, err } = await told('spire-server', ['token', 'generate', '-ttl', 'soon']);
    expect(code).toBe(1);
    expect(err).toMatch(/^invalid value "soon" for flag -ttl: parse error\nUsage of generate:\n {2}-instance string\n/);
    expect(await told('spire-server', ['nonsense'])).toMatchObject({ code: 127 });
    expect(await told('spire-server', ['--version'])).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it('writes a minted key for its owner only', async () => {
    const mint = await spireServer('x509', 'mint', '-spiffeID', 'spiffe://home.test/m', '-write', dir);
    expect(mint.out).toBe(
      `X509-SVID written to ${dir}/svid.pem\nPrivate key written to ${dir}/key.pem\nRoot CAs written to ${dir}/bundle.pem\n`,
    );
    expect((await stat(join(dir, 'key.pem'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(dir, 'svid.pem'), 'utf8')).toMatch(/^-----BEGIN CERTIFICATE-----/);
  });
});

describe('spire-agent', () => {
  it('fetches and validates as a workload', async () => {
    expect(await spireAgent('api', 'fetch')).toEqual({
      code: 1,
      out: '',
      err: 'rpc error: code = PermissionDenied desc = no identity issued\n',
    });
    await home.addEntry({ path: '/workload' });
    await until(async () => (await spireAgent('api', 'fetch')).code === 0);
    const { out } = await spireAgent('api', 'fetch', 'x509');
    expect(out).toMatch(
      /^Received 1 svid after [\d.]+m?s\n\nSPIFFE ID:\t\tspiffe:\/\/home\.test\/workload\nSVID Valid After:\t/,
    );
    const jwt = /\):\n\t(\S+)\n/.exec((await spireAgent('api', 'fetch', 'jwt', '-audience', 'a,b')).out)?.[1] ?? '';
    expect((await spireAgent('api', 'validate', 'jwt', '-audience', 'b', '-svid', jwt)).out).toMatch(
      /^SVID is valid\.\nSPIFFE ID : spiffe:\/\/home\.test\/workload\nClaims {4}: \{"aud":\["a","b"\],/,
    );
    expect((await spireAgent('api', 'validate', 'jwt', '-audience', 'c', '-svid', jwt)).err).toMatch(
      /^SVID is not valid: /,
    );
  });

  it('asks the administrative socket', async () => {
    const socket = ['-socketPath', join(dir, 'admin.sock')];
    expect((await told('spire-agent', ['debug', 'getinfo', ...socket])).out).toMatch(
      /^Agent Debug Info:\n {2}Uptime: +/,
    );
    const set = await told('spire-agent', ['logger', 'set', '-level', 'warn', ...socket]);
    expect(set.out).toMatch(/^Logger Level : warning\nLaunch Level : \w+\n\n$/);
  });

  it('says why it is unhealthy', async () => {
    expect(await told('spire-agent', ['healthcheck', '-socketPath', '/none.sock'])).toEqual({
      code: 1,
      out: '',
      err: 'Agent is unhealthy: unable to determine health\n',
    });
  });
});
