import { createHash, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@steeple/daemon';
import { BundleSet, TrustDomain } from '@steeple/spiffe';
import { afterAll, describe, expect, it } from 'vitest';
import { IN_MEMORY } from '../datastore/sqlite/open.ts';
import { SqliteDatastore } from '../datastore/sqlite/sqlite-datastore.ts';
import { attest, ChannelPair } from './channel-for-tests.ts';
import { nodeAttestorContract } from './node-attestor.contract.ts';
import type { NodeProver, NodeVerifier } from './node-attestor.ts';
import { readPrivateKey } from './sshpop/private-key.ts';
import { blobOf, listOf, vector } from './sshpop/testing/vectors.ts';
import { sshpopProver, sshpopVerifier } from './sshpop.ts';

const NOW = Date.UTC(2030, 0, 1) / 1000;
const directory = mkdtempSync(join(tmpdir(), 'steeple-sshpop-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;
const host = {
  logger: silentLogger,
  clock: { ...systemClock, now: () => NOW },
  trustDomain: TrustDomain.parse('example.org'),
  bundles: new BundleSet(),
  joinTokens: SqliteDatastore.open(IN_MEMORY, silentLogger).joinTokens,
};
const { signal } = new AbortController();

function file(content: string | Uint8Array): string {
  const path = join(directory, String(++count));
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const TRUSTED = { cert_authorities: [vector('ca.pub')] };
const verifier = (config: unknown = TRUSTED): Promise<NodeVerifier> =>
  sshpopVerifier.create(sshpopVerifier.schema.parse(config), host);
const prover = (key = 'ed25519', certificate = key): Promise<NodeProver> => {
  const files = { host_key_path: file(vector(key)), host_cert_path: file(vector(`${certificate}-cert.pub`)) };
  return sshpopProver.create(sshpopProver.schema.parse(files), host);
};
const refused = (part: string) => ({ code: 'permission-denied', message: expect.stringContaining(part) });
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

describe('sshpop', () => {
  nodeAttestorContract(async () => ({ prover: await prover(), verifier: await verifier() }));

  it.each(['ed25519', 'ecdsa256', 'ecdsa384', 'ecdsa521', 'rsa'])('attests a host with a key of %s', async (kind) => {
    const node = await attest(await prover(kind), await verifier());
    const fingerprint = createHash('sha256')
      .update(blobOf(`${kind}-cert.pub`))
      .digest('base64url');
    expect(node.agentId.toString()).toBe(`spiffe://example.org/spire/agent/sshpop/${fingerprint}`);
    expect(node).toMatchObject({ selectors: [], canReattest: true });
  });

  it('speaks the messages of SPIRE, byte for byte', async () => {
    const pair = new ChannelPair();
    await attest(await prover(), await verifier(), pair);
    const [payload, challenge, response] = pair.said.map(({ data }) => Buffer.from(data).toString());
    const b64 = '[A-Za-z0-9+/]+={0,2}';
    expect(payload).toBe(`{"Certificate":"${base64(blobOf('ed25519-cert.pub'))}"}`);
    expect(challenge).toMatch(new RegExp(`^{"Nonce":"${b64}"}$`));
    expect(response).toMatch(
      new RegExp(`^{"Nonce":"${b64}","Signature":{"Format":"ssh-ed25519","Blob":"${b64}","Rest":null}}$`),
    );
  });

  it('names agents by what the certificate says', async () => {
    const config = { ...TRUSTED, canonical_domain: 'example.org', agent_path_template: 'host/{{ .Hostname }}' };
    expect((await attest(await prover(), await verifier(config))).agentId.path).toBe('/spire/agent/host/node-1');
    for (const [template, path] of [
      ['static/{{ index .ValidPrincipals 0 }}', 'static/node-1.example.org'],
      ['{{ .PluginName }}/{{ .KeyId | replace " " "-" }}/{{ .Serial }}', 'sshpop/id-ed25519/7'],
    ]) {
      const node = await attest(await prover(), await verifier({ ...TRUSTED, agent_path_template: template }));
      expect(node.agentId.path).toBe(`/spire/agent/${path}`);
    }
  });

  it.each(['example.com', 'le.org', 'node-1.example.org', 'org.'])('is not of the domain %s', async (domain) => {
    const attesting = attest(await prover(), await verifier({ ...TRUSTED, canonical_domain: domain }));
    await expect(attesting).rejects.toMatchObject(refused('not in the domain'));
  });

  it.each([
    ['by_other', 'not configured'],
    ['expired', 'expired'],
    ['future', 'not yet valid'],
    ['no_principal', 'no principal'],
    ['critical', 'critical option'],
  ])('refuses %s', async (name, message) => {
    await expect(attest(await prover('ed25519', name), await verifier())).rejects.toMatchObject(refused(message));
  });

  it('refuses what was revoked, from the moment on when it stands in the file', async () => {
    const path = file(listOf('krl_empty'));
    const server = await verifier({ ...TRUSTED, revoked_keys_path: path });
    await attest(await prover(), server);
    writeFileSync(path, listOf('krl_serial'));
    await expect(attest(await prover(), server)).rejects.toMatchObject(refused('revoked'));
    await attest(await prover('ed25519', 'forever'), server);
    for (const broken of ['x', listOf('krl_serial').subarray(0, 60)]) {
      writeFileSync(path, broken);
      await expect(attest(await prover('ed25519', 'forever'), server)).rejects.toMatchObject({ code: 'unavailable' });
    }
    rmSync(path);
    await expect(attest(await prover('ed25519', 'forever'), server)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('an answer to the challenge', () => {
  /** Shows the certificate of `kind` and answers what `answer` makes of both nonces. */
  async function answered(kind: string, answer: (text: Buffer, own: Buffer) => unknown, config?: unknown) {
    const pair = new ChannelPair();
    const payload = Buffer.from(JSON.stringify({ Certificate: base64(blobOf(`${kind}-cert.pub`)) }));
    const verifying = (await verifier(config)).verify(payload, pair.server, signal);
    verifying.catch(() => undefined);
    const nonce = Buffer.from(JSON.parse(Buffer.from(await pair.agent.receive()).toString()).Nonce, 'base64');
    const own = randomBytes(32);
    const text = createHash('sha256').update(nonce).update(own).digest();
    await pair.agent.send(Buffer.from(JSON.stringify(answer(text, own))));
    return await verifying;
  }
  const key = readPrivateKey(vector('ed25519'));
  const good = (text: Buffer, own: Buffer) => ({
    Nonce: base64(own),
    Signature: { Format: 'ssh-ed25519', Blob: base64(sign(null, text, key)), Rest: null },
  });

  it('convinces if it is signed with the key of the certificate, and only then', async () => {
    expect((await answered('ed25519', good)).canReattest).toBe(true);
    const unproven = refused('not answered with the key');
    await expect(answered('ed25519', (_text, own) => good(randomBytes(32), own))).rejects.toMatchObject(unproven);
    await expect(answered('ed25519', (text) => good(text, randomBytes(32)))).rejects.toMatchObject(unproven);
    await expect(answered('ecdsa256', good)).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it.each([
    ['null', () => null],
    ['no signature', (_text: Buffer, own: Buffer) => ({ Nonce: base64(own), Signature: null })],
    ['a short nonce', (text: Buffer, own: Buffer) => ({ ...good(text, own), Nonce: 'AAAA' })],
    ['no nonce', (text: Buffer, own: Buffer) => ({ ...good(text, own), Nonce: null })],
    [
      'a signature of numbers',
      (_text: Buffer, own: Buffer) => ({ Nonce: base64(own), Signature: { Format: 1, Blob: 2 } }),
    ],
    [
      'something after the signature',
      (text: Buffer, own: Buffer) => ({
        ...good(text, own),
        Signature: { ...good(text, own).Signature, Rest: 'AAAA' },
      }),
    ],
  ])('is malformed: %s', async (_name, answer) => {
    await expect(answered('ed25519', answer)).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('may be signed with SHA-1, as SPIRE does with RSA keys, only if configured', async () => {
    const rsa = readPrivateKey(vector('rsa'));
    const sha1 = (text: Buffer, own: Buffer) => ({
      Nonce: base64(own),
      Signature: { Format: 'ssh-rsa', Blob: base64(sign('sha1', text, rsa)), Rest: null },
    });
    await expect(answered('rsa', sha1)).rejects.toMatchObject({ message: expect.stringContaining('SHA-1') });
    expect((await answered('rsa', sha1, { ...TRUSTED, accept_sha1_responses: true })).canReattest).toBe(true);
    // The authority's signature never may.
    const byRsa = { cert_authorities: [vector('ca_rsa.pub')], accept_sha1_responses: true };
    await expect(attest(await prover('ed25519', 'by_rsa_sha1'), await verifier(byRsa))).rejects.toMatchObject(
      refused('SHA-1'),
    );
  });
});

describe('sshpop configuration of the server', () => {
  it('takes authorities from the configuration, from a file, or both', async () => {
    const path = file(`# ours\n\ncert-authority ${vector('ca.pub')}`);
    await attest(await prover(), await verifier({ cert_authorities_path: path }));
    const both = await verifier({ cert_authorities: [vector('other_ca.pub')], cert_authorities_path: path });
    await attest(await prover(), both);
    await attest(await prover('ed25519', 'by_other'), both);
  });

  it.each([
    [{ cert_authorities: [] }, 'at least one authority'],
    [{ cert_authorities: ['ssh-ed25519'] }, 'no key'],
    [{ cert_authorities: [''.padEnd(3)] }, 'must be one key'],
    [{ cert_authorities: [vector('ed25519-cert.pub')] }, 'a certificate stands'],
    [{ cert_authorities: [`principals="x" ${vector('ca.pub')}`] }, 'no key'],
    [{ cert_authorities: [vector('ca.pub').replace('ssh-ed25519', 'ssh-rsa')] }, 'not of the type'],
    [{ cert_authorities_path: '/nonexistent/ca.pub' }, 'cannot be read (ENOENT)'],
    [{ cert_authorities_path: () => file('# none\n') }, 'holds no key'],
    [{ cert_authorities_path: () => file(`${vector('ca.pub')}x y\n`) }, 'line 2'],
    [{ ...TRUSTED, revoked_keys_path: '/nonexistent/krl' }, 'cannot be read (ENOENT)'],
    [{ ...TRUSTED, revoked_keys_path: () => file('x') }, 'line 1'],
    [{ ...TRUSTED, agent_path_template: '{{ .Nope }}' }, 'unknown field ".Nope"'],
  ])('%#: %s', async (config, message) => {
    const values = Object.entries(config).map(([name, value]) => [name, typeof value === 'function' ? value() : value]);
    await expect(verifier(Object.fromEntries(values))).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(message),
    });
  });

  it('refuses unknown keys and no authority', () => {
    for (const config of [{}, { ...TRUSTED, typo: 1 }, { cert_authorities: 'x' }]) {
      expect(sshpopVerifier.schema.safeParse(config).success).toBe(false);
    }
    expect(sshpopProver.schema.parse({})).toEqual({
      host_key_path: '/etc/ssh/ssh_host_rsa_key',
      host_cert_path: '/etc/ssh/ssh_host_rsa_key-cert.pub',
    });
  });
});

describe('sshpop files of the agent', () => {
  it.each([
    ['a missing key', { host_key_path: '/nonexistent/key' }, 'cannot be read (ENOENT)'],
    ['a missing certificate', { host_cert_path: '/nonexistent/cert' }, 'cannot be read (ENOENT)'],
    ['a key with a passphrase', { host_key_path: file(vector('ed25519_locked')) }, 'passphrase'],
    ['a plain key as certificate', { host_cert_path: file(vector('ed25519.pub')) }, 'no OpenSSH certificate'],
    ['a certificate that is none', { host_cert_path: file('x') }, 'no OpenSSH certificate'],
    [
      'the certificate of another key',
      { host_cert_path: file(vector('rsa-cert.pub')) },
      'is not a certificate of the key',
    ],
    ['the certificate of a user', { host_cert_path: file(vector('user-cert.pub')) }, 'certificate of a user'],
  ])('%s: it says which file', async (_name, files, message) => {
    const all = { host_key_path: file(vector('ed25519')), host_cert_path: file(vector('ed25519-cert.pub')), ...files };
    const proving = (await sshpopProver.create(all, host)).prove(new ChannelPair().agent, signal);
    await expect(proving).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringMatching(new RegExp(`^sshpop: /.*${message.replaceAll(/[()]/g, '\\$&')}`)),
    });
  });
});
