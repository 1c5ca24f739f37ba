// SPIRE's command line about trust: bundles, relationships, authorities and agents. The texts are the real program's.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import { TestTrustDomain } from '@steeple/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compatMain } from '../../cli/src/compat/main.ts';
import { Home } from './home.ts';

let home: Home;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp('/tmp/st-trust-');
  home = await Home.open();
  await home.ready();
});
afterAll(() => home[Symbol.asyncDispose]());

async function spireServer(...words: string[]) {
  let [out, err] = ['', ''];
  const code = await compatMain('spire-server', [...words, '-socketPath', home.server.addresses.socketPath], {
    env: {},
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    stdin: async () => Buffer.of(),
    now: () => Date.now() / 1000,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

const done = (out: string) => ({ code: 0, out, err: '' });
const failed = (err: string) => ({ code: 1, out: '', err });

it('sets, lists and deletes bundles', async () => {
  const other = await TestTrustDomain.create('other.test');
  const pem = other.bundle.x509Authorities.map(({ certificate }) => toPem('CERTIFICATE', certificate.raw)).join('');
  const path = join(dir, 'other.pem');
  await writeFile(path, pem);
  expect(await spireServer('bundle', 'set', '-id', 'spiffe://other.test', '-path', path)).toEqual(
    done('bundle set.\n'),
  );
  const stars = '*'.repeat(40);
  expect(await spireServer('bundle', 'list')).toEqual(done(`${stars}\n* other.test\n${stars}\n${pem}`));
  expect(await spireServer('bundle', 'list', '-id', 'other.test')).toEqual(done(pem));
  expect(await spireServer('bundle', 'list', '-id', 'home.test')).toEqual(
    failed(
      "Error: rpc error: code = InvalidArgument desc = getting a federated bundle for the server's own trust domain is not allowed\n",
    ),
  );
  const document = JSON.parse((await spireServer('bundle', 'show', '-format', 'spiffe')).out) as { keys: object[] };
  expect(Object.keys(document.keys[0] ?? {})).toEqual(['use', 'kty', 'crv', 'x', 'y', 'x5c']);
  expect(await spireServer('bundle', 'count')).toEqual(done('2 bundles\n'));
  expect(await spireServer('bundle', 'delete', '-id', 'other.test')).toEqual(done('bundle deleted.\n'));
  expect(await spireServer('bundle', 'delete', '-id', 'other.test')).toEqual(
    failed('Error: failed to delete federated bundle "other.test": bundle not found\n'),
  );
});

it('creates, shows and deletes relationships', async () => {
  const endpoint = ['-bundleEndpointURL', 'https://127.0.0.1:1/', '-bundleEndpointProfile'];
  const id = 'spiffe://far.test/endpoint';
  const text = [
    'Trust domain              : far.test',
    'Bundle endpoint URL       : https://127.0.0.1:1/',
    'Bundle endpoint profile   : https_spiffe',
    `Endpoint SPIFFE ID        : ${id}`,
    '',
  ].join('\n');
  const far = ['-trustDomain', 'far.test', ...endpoint, 'https_spiffe', '-endpointSpiffeID', id];
  expect(await spireServer('federation', 'create', ...far)).toEqual(done(`\n${text}`));
  expect(await spireServer('federation', 'list')).toEqual(done(`Found 1 federation relationship\n\n${text}`));
  expect(await spireServer('federation', 'show', '-trustDomain', 'far.test')).toEqual(
    done(`Found a federation relationship with trust domain far.test:\n\n${text}`),
  );
  expect(await spireServer('federation', 'create', '-trustDomain', 'far.test', ...endpoint, 'other')).toEqual(
    failed('Error: unknown bundle endpoint profile type: "other"\n'),
  );
  expect(await spireServer('federation', 'refresh', '-id', 'none.test')).toEqual(
    failed('Error: there is no federation relationship with trust domain "none.test"\n'),
  );
  expect(await spireServer('federation', 'delete', '-id', 'far.test')).toEqual(
    done('federation relationship deleted.\n'),
  );
});

it.each(['x509', 'jwt'] as const)('rotates %s authorities by hand', async (kind) => {
  const name = kind === 'x509' ? 'X.509' : 'JWT';
  const authority = (...words: string[]) => spireServer('localauthority', kind, ...words);
  const idIn = (text: string, slot: string): string =>
    new RegExp(
      `${slot} ${name} authority:\n {2}Authority ID: (\\S+)\n {2}Expires at: [-\\d]+ [:\\d]+ \\+0000 UTC\n`,
    ).exec(text)?.[1] ?? '';
  const shown = (await authority('show')).out;
  expect(shown).toContain(
    `\nPrepared ${name} authority:\n  No prepared ${name} authority found\n\nOld ${name} authority:\n`,
  );
  const active = idIn(shown, 'Active');
  expect(active).not.toBe('');
  expect((await authority('taint', '-authorityID', active)).err).toBe(
    `Error: could not taint ${name} authority: rpc error: code = InvalidArgument desc = unable to taint current local authority\n`,
  );
  const next = idIn((await authority('prepare')).out, 'Prepared');
  expect(idIn((await authority('activate', '-authorityID', next)).out, 'Activated')).toBe(next);
  expect(idIn((await authority('taint', '-authorityID', active)).out, 'Tainted')).toBe(active);
  expect(idIn((await authority('revoke', '-authorityID', active)).out, 'Revoked')).toBe(active);
  expect(await authority('revoke')).toEqual(failed('Error: an authority ID is required\n'));
});

it('counts, bans, purges and evicts agents', async () => {
  const id = `spiffe://home.test${home.agentId.path}`;
  expect(await spireServer('agent', 'count', '-attestationType', 'join_token')).toEqual(done('1 attested agent\n'));
  expect(await spireServer('agent', 'list', '-canReattest', 'true')).toEqual(done('No attested agents found\n'));
  expect((await spireServer('agent', 'show', '-spiffeID', id)).out).toMatch(
    new RegExp(
      `^Found an attested agent given its SPIFFE ID\n\nSPIFFE ID {9}: ${id}\nAttestation type {2}: join_token\n`,
    ),
  );
  expect(await spireServer('agent', 'purge', '-expiredFor', '-10h')).toEqual(done('No agents to purge.\n'));
  expect(await spireServer('agent', 'ban', '-spiffeID', id)).toEqual(done('Agent banned successfully\n'));
  expect((await spireServer('agent', 'list', '-banned', 'true')).out).toMatch(
    /\nBanned {12}: true\nCan re-attest {5}: false\n/,
  );
  expect(await spireServer('agent', 'evict', '-spiffeID', id)).toEqual(done('Agent evicted successfully\n'));
  expect(await spireServer('agent', 'evict', '-spiffeID', id)).toEqual(
    failed('Error: rpc error: code = NotFound desc = agent not found\n'),
  );
});
