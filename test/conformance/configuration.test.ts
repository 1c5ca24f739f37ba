// What server and agent refuse to be started with, and what signing keys they may have.
import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import {
  generateKey,
  KEY_TYPES,
  type KeyType,
  localSigner,
  SpiffeId,
  signJwtSvid,
  signWitSvid,
  TrustDomain,
} from '@steeple/spiffe';
import { tempDir } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { run } from '../stack/process.ts';
import { headerOf } from './decode-token.ts';
import { refusal } from './refusal.ts';

const steeple = new URL('../../cli/src/bin/steeple.ts', import.meta.url).pathname;

async function validates(
  daemon: 'server' | 'agent',
  settings: Record<string, unknown>,
): Promise<{ ok: boolean; output: string }> {
  await using dir = await tempDir();
  const base = {
    trust_domain: 'a.test',
    data_dir: dir.path,
    ...(daemon === 'agent' ? { server_address: '127.0.0.1', insecure_bootstrap: true } : {}),
  };
  const plugins =
    daemon === 'agent'
      ? {
          NodeAttestor: { join_token: { plugin_data: {} } },
          KeyManager: { memory: { plugin_data: {} } },
          WorkloadAttestor: { unix: { plugin_data: {} } },
        }
      : undefined;
  const file = dir.join('config.json');
  await writeFile(
    file,
    JSON.stringify({ [daemon]: { ...base, ...settings }, ...(plugins === undefined ? {} : { plugins }) }),
  );
  const { code, output } = await run(process.execPath, [steeple, daemon, 'validate', '--config', file]);
  return { ok: code === 0, output };
}

it('[ID-05] [ID-07] starts no server without a good trust domain', async () => {
  expect((await validates('server', {})).output).not.toContain('error');
  expect((await validates('server', {})).ok).toBe(true);
  for (const trust_domain of ['', 'A.test', 'a test', 'spiffe://'])
    expect((await validates('server', { trust_domain })).ok).toBe(false);
  expect(refusal(() => TrustDomain.parse('')).code).toBe('invalid-trust-domain');
});

it('[WIT-23] takes no issuer of WIT-SVIDs that looks like an OpenID provider', async () => {
  expect((await validates('server', { experimental: { wit_issuer: 'https://issuer.test' } })).ok).toBe(false);
  expect((await validates('server', { experimental: { wit_issuer: 'a.test' } })).ok).toBe(true);
});

it('[WEP-02] [WEP-05] offers the Workload API on a unix socket only', async () => {
  expect((await validates('agent', {})).output).not.toContain('error');
  for (const settings of [{ bind_address: '0.0.0.0' }, { bind_port: 8080 }]) {
    expect((await validates('agent', settings)).ok, JSON.stringify(settings)).toBe(false);
  }
});

const ALGORITHMS: Partial<Record<KeyType, readonly string[]>> = {
  'ec-p256': ['ES256'],
  'ec-p384': ['ES384'],
  'ec-p521': ['ES512'],
  'rsa-2048': ['RS256', 'PS256', 'RS384', 'RS512'],
};
const id = SpiffeId.parse('spiffe://a.test/x');
const keyOf = (type: KeyType) => ({ kid: 'k', signer: localSigner(generateKey(type)) });
const life = { id, issuedAt: 1_900_000_000, expiresAt: 1_900_000_300 };

it('[JWT-04] [WIT-06] signs tokens with the algorithm of the key’s curve, and with no Ed25519 key', async () => {
  expect(Object.keys(KEY_TYPES)).toEqual(expect.arrayContaining(Object.keys(ALGORITHMS)));
  const publicKey = createPublicKey(generateKey('ec-p256'));
  for (const [type, names] of Object.entries(ALGORITHMS) as [KeyType, string[]][]) {
    const key = keyOf(type);
    expect(names).toContain(headerOf(await signJwtSvid(key, { ...life, audience: ['y'] }))['alg']);
    expect(names).toContain(headerOf(await signWitSvid(key, { ...life, publicKey }))['alg']);
  }
  await expect(signJwtSvid(keyOf('ed25519'), { ...life, audience: ['y'] })).rejects.toMatchObject({
    code: 'unsupported-key',
  });
  await expect(signWitSvid(keyOf('ed25519'), { ...life, publicKey })).rejects.toMatchObject({
    code: 'unsupported-key',
  });
  expect((await validates('server', { jwt_key_type: 'ed25519' })).ok).toBe(false);
  expect((await validates('server', { experimental: { wit_key_type: 'ed25519' } })).ok).toBe(false);
});
