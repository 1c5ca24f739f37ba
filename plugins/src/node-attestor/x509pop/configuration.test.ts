import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@steeple/daemon';
import {
  BundleSet,
  localSigner,
  SpiffeId,
  selfSignedCa,
  spkiOf,
  TrustBundle,
  TrustDomain,
  toPem,
  X509Issuer,
} from '@steeple/spiffe';
import { afterAll, describe, expect, it } from 'vitest';
import { IN_MEMORY } from '../../datastore/sqlite/open.ts';
import { SqliteDatastore } from '../../datastore/sqlite/sqlite-datastore.ts';
import { attest, ChannelPair } from '../channel-for-tests.ts';
import type { NodeProver, NodeVerifier } from '../node-attestor.ts';
import { x509popProver, x509popVerifier } from '../x509pop.ts';
import { issue, issueCa, NOW } from './certificates-for-tests.ts';

const HOME = TrustDomain.parse('example.org');
const directory = mkdtempSync(join(tmpdir(), 'steeple-x509pop-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;

const bundles = new BundleSet();
const host = {
  logger: silentLogger,
  clock: { ...systemClock, now: () => NOW },
  trustDomain: HOME,
  bundles,
  joinTokens: SqliteDatastore.open(IN_MEMORY, silentLogger).joinTokens,
};

function file(text: string): string {
  const path = join(directory, String(++count));
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const verifier = (config: unknown): Promise<NodeVerifier> =>
  x509popVerifier.create(x509popVerifier.schema.parse(config), host);
const prover = (config: unknown): Promise<NodeProver> => x509popProver.create(x509popProver.schema.parse(config), host);

describe('x509pop configuration of the server', () => {
  const root = issueCa('root');
  const ca = () => file(toPem('CERTIFICATE', root.certificate.raw));
  const leaf = issue({ issuer: root, commonName: 'n1' });
  const leafFiles = () => ({
    certificate_path: file(toPem('CERTIFICATE', leaf.certificate.raw)),
    private_key_path: file(leaf.key.export({ type: 'sec1', format: 'pem' }).toString()),
  });

  it('takes authorities from one file or several', async () => {
    const other = file(toPem('CERTIFICATE', issueCa('other').certificate.raw));
    const agent = await prover(leafFiles());
    expect((await attest(agent, await verifier({ ca_bundle_path: ca() }))).canReattest).toBe(true);
    expect((await attest(agent, await verifier({ ca_bundle_paths: [other, ca()] }))).canReattest).toBe(true);
    await expect(attest(agent, await verifier({ ca_bundle_path: other }))).rejects.toMatchObject({
      code: 'permission-denied',
    });
  });

  it('takes a path template', async () => {
    const named = await verifier({ ca_bundle_path: ca(), agent_path_template: 'x509pop/cn/{{ .Subject.CommonName }}' });
    expect((await attest(await prover(leafFiles()), named)).agentId.path).toBe('/spire/agent/x509pop/cn/n1');
  });

  it.each([
    [{ ca_bundle_path: '/nonexistent/ca.pem' }, 'cannot be read (ENOENT)'],
    [{ ca_bundle_path: () => file('nothing here') }, 'holds no certificate'],
    [{ ca_bundle_path: () => file('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') }, 'broken'],
    [{ ca_bundle_path: ca, agent_path_template: '{{ .Nope }}' }, 'unknown field ".Nope"'],
  ])('%j fails with a ConfigError', async (config, message) => {
    const values = Object.entries(config).map(([key, value]) => [key, typeof value === 'function' ? value() : value]);
    await expect(verifier(Object.fromEntries(values))).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    {},
    { ca_bundle_path: 'a', ca_bundle_paths: ['b'] },
    { ca_bundle_paths: [] },
    { mode: 'spiffe', ca_bundle_path: 'a' },
    { mode: 'other' },
    { mode: 'spiffe', spiffe_prefix: '/a/', svid_prefix: '/b/' },
    { mode: 'spiffe', svid_prefix: 'a' },
    { ca_bundle_path: 'a', max_rsa_key_size: 16384 },
    { ca_bundle_path: 'a', typo: 1 },
  ])('%j is refused by the schema', (config) => {
    expect(x509popVerifier.schema.safeParse(config).success).toBe(false);
  });
});

describe('x509pop in mode spiffe', () => {
  async function svidProver(path: string, trusted = true): Promise<NodeProver> {
    const signer = localSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const validity = { notBefore: NOW - 100, notAfter: NOW + 1000 };
    const authority = await selfSignedCa(signer, {
      trustDomain: HOME,
      subject: { country: ['US'] },
      serial: randomBytes(16),
      ...validity,
    });
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const leaf = await new X509Issuer(signer, authority).issueLeaf({
      id: SpiffeId.of(HOME, path),
      spki: spkiOf(localSigner(key).publicKey),
      serial: randomBytes(16),
      ...validity,
    });
    const x509Authorities = trusted ? [{ certificate: authority, tainted: false }] : [];
    bundles.set(TrustBundle.of(HOME, { x509Authorities }));
    return await prover({
      certificate_path: file(toPem('CERTIFICATE', leaf.raw)),
      private_key_path: file(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
    });
  }

  it('names the agent by the path below the prefix', async () => {
    const node = await attest(await svidProver('/spire-exchange/rack/1'), await verifier({ mode: 'spiffe' }));
    expect(node.agentId.path).toBe('/spire/agent/x509pop/rack/1');
    for (const key of ['spiffe_prefix', 'svid_prefix']) {
      const custom = await verifier({ mode: 'spiffe', [key]: '/nodes' });
      expect((await attest(await svidProver('/nodes/1'), custom)).agentId.path).toBe('/spire/agent/x509pop/1');
    }
  });

  it.each(['/spire-exchange', '/spire-exchanges/x', '/workload', '/x/spire-exchange/y'])(
    'refuses an SVID with the path %s',
    async (path) => {
      const attesting = attest(
        await svidProver(path),
        await verifier({ mode: 'spiffe', spiffe_prefix: '/spire-exchange' }),
      );
      await expect(attesting).rejects.toMatchObject({ code: 'permission-denied' });
    },
  );

  it('refuses an SVID that the own bundle does not verify', async () => {
    const attesting = attest(await svidProver('/spire-exchange/a', false), await verifier({ mode: 'spiffe' }));
    await expect(attesting).rejects.toMatchObject({ code: 'permission-denied' });
  });
});

describe('x509pop files of the agent', () => {
  const leaf = issue();
  const certificate = () => file(toPem('CERTIFICATE', leaf.certificate.raw));
  const key = () => file(leaf.key.export({ type: 'pkcs8', format: 'pem' }).toString());
  const other = () => file(issue().key.export({ type: 'pkcs8', format: 'pem' }).toString());
  const locked = () =>
    file(leaf.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString());
  it.each([
    ['a missing key', () => ({ certificate_path: certificate(), private_key_path: '/nonexistent/key' }), 'ENOENT'],
    ['a broken key', () => ({ certificate_path: certificate(), private_key_path: file('x') }), 'holds no private key'],
    ['a broken certificate', () => ({ certificate_path: file('x'), private_key_path: key() }), 'holds no certificate'],
    ['a locked key', () => ({ certificate_path: certificate(), private_key_path: locked() }), 'passphrase'],
    ['the key of another', () => ({ certificate_path: certificate(), private_key_path: other() }), 'is not the key of'],
  ])('%s: it says which file', async (_name, config, message) => {
    const proving = (await prover(config())).prove(new ChannelPair().agent, new AbortController().signal);
    await expect(proving).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining(message),
    });
  });
});
