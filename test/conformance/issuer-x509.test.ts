// What a real server issues and publishes, read with OpenSSL.
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { Code } from '@steeple/proto/grpc';
import { generateKey, localSigner, makeCsr } from '@steeple/spiffe';
import { beforeAll, expect, it } from 'vitest';
import { claimsOf } from './decode-token.ts';
import { greedyCsr } from './forge-csr.ts';
import { extensionOf, uriNames } from './issued-certificates.ts';
import { createEntry, HEADER, messageThat, reader, STREAM, stackWorld, statusOf } from './stack-world.ts';

const world = stackWorld();
/** Every kind of certificate that a server issues, and its root. */
const issued: Record<'workload' | 'minted' | 'server' | 'agent' | 'root', X509Certificate> = {} as never;

const csrFor = (uri: string, more: object = {}) => makeCsr(localSigner(generateKey('ec-p256')), { uri, ...more });
const mint = async (uri: string, more: object = {}) =>
  world.svids.mintX509SVID({ csr: new Uint8Array(await csrFor(uri, more)) });

async function serverCertificate(): Promise<X509Certificate> {
  const socket = connect({
    host: '127.0.0.1',
    port: world.stack.port,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
  });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  if (certificate === undefined) throw new Error('the server presented nothing');
  return certificate;
}

// As the agent keeps its own in its folder: base64 DER, leaf first.
async function agentCertificate(): Promise<X509Certificate> {
  const text = await readFile(`${world.stack.dir}/agent/agent-data.json`, 'utf8');
  const { svid } = JSON.parse(text) as { svid: string | string[] };
  return new X509Certificate(Buffer.from([svid].flat()[0] ?? '', 'base64'));
}

beforeAll(async () => {
  await createEntry(world, { path: '/x' });
  const stream = reader(world.workload.fetchX509SVID({}, STREAM));
  const { svids } = await messageThat(stream, (message) => message.svids.length === 1);
  await stream.return?.();
  issued.workload = new X509Certificate(svids[0]?.x509Svid ?? new Uint8Array());
  issued.root = new X509Certificate(svids[0]?.bundle ?? new Uint8Array());
  issued.minted = new X509Certificate(
    (await mint('spiffe://a.test/minted', { dnsNames: ['a.test'] })).svid?.certChain[0] ?? new Uint8Array(),
  );
  issued.server = await serverCertificate();
  issued.agent = await agentCertificate();
});
const leaves = () => [issued.workload, issued.minted, issued.server, issued.agent];
const all = () => [...leaves(), issued.root];

it('[X509-01] [X509-04] has exactly one URI in each certificate, beside any other names', () => {
  for (const one of all()) expect(uriNames(one)).toHaveLength(1);
  expect(uriNames(issued.workload)).toEqual(['spiffe://a.test/x']);
  expect(issued.minted.subjectAltName).toContain('DNS:a.test');
});

it('[X509-05] gives no leaf the ID of a whole trust domain', async () => {
  expect(await statusOf(mint('spiffe://a.test'))).toBe(Code.INVALID_ARGUMENT);
  expect((await createEntry(world, { path: '' })).code).toBe(Code.INVALID_ARGUMENT);
});

it('[X509-06] marks the names critical if there is no subject', () => {
  for (const one of all()) expect(one.subject !== '' || extensionOf(one, 'names')?.critical).toBe(true);
});

it('[ID-21] [ID-22] [ID-23] [ID-24] [X509-08] [X509-09] [X509-10] has an authority with the ID of its trust domain', async () => {
  const { x509Authorities } = await world.bundles.getBundle({});
  expect(x509Authorities).toHaveLength(1);
  expect(uriNames(issued.root)).toEqual(['spiffe://a.test']);
});

it('[X509-07] [X509-14] [X509-19] [X509-20] [X509-27] [X509-41] lets the authority sign, and nothing else', () => {
  expect(extensionOf(issued.root, 'basicConstraints')).toEqual({ critical: true, value: '30030101ff' });
  expect(['03020106', '03020204']).toContain(extensionOf(issued.root, 'keyUsage')?.value);
  expect(extensionOf(issued.root, 'extKeyUsage')).toBeUndefined();
  for (const one of leaves()) expect(extensionOf(one, 'keyUsage')?.value).toBe('03020780');
});

it('[X509-15] [X509-21] [X509-22] lets a leaf do nothing but sign its handshakes', () => {
  for (const one of leaves()) {
    expect(extensionOf(one, 'basicConstraints')?.value).toBe('3000');
    expect(extensionOf(one, 'keyUsage')?.value).toBe('03020780');
    expect(one.ca).toBe(false);
  }
});

it('[X509-17] [X509-18] states the key usage in each certificate, critical', () => {
  for (const one of all()) expect(extensionOf(one, 'keyUsage')?.critical).toBe(true);
});

it('[X509-24] [X509-25] [X509-26] names both purposes in each leaf', () => {
  for (const one of leaves()) expect([...one.keyUsage].sort()).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
});

it('[X509-H3] keeps leaves inside their issuer’s life, with long random serials and key identifiers', () => {
  const { root } = issued;
  for (const one of leaves()) {
    expect(one.validFromDate.getTime()).toBeGreaterThanOrEqual(root.validFromDate.getTime());
    expect(one.validToDate.getTime()).toBeLessThanOrEqual(root.validToDate.getTime());
    expect(Date.now() - one.validFromDate.getTime()).toBeLessThan(120_000);
    expect(one.serialNumber.length).toBeGreaterThanOrEqual(16);
    expect(extensionOf(one, 'subjectKey')).toBeDefined();
    expect(extensionOf(one, 'authorityKey')).toBeDefined();
    expect(one.checkIssued(root) && one.verify(root.publicKey)).toBe(true);
  }
  expect(new Set(all().map(({ serialNumber }) => serialNumber)).size).toBe(all().length);
});

it('[X509-23] [X509-H4] takes nothing but the key and the ID from a request, and checks its signature', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const csr = greedyCsr('spiffe://a.test/greedy', privateKey);
  const { svid } = await world.svids.mintX509SVID({ csr });
  const certificate = new X509Certificate(svid?.certChain[0] ?? new Uint8Array());
  expect(extensionOf(certificate, 'basicConstraints')?.value).toBe('3000');
  expect(extensionOf(certificate, 'keyUsage')?.value).toBe('03020780');
  expect(uriNames(certificate)).toEqual(['spiffe://a.test/greedy']);
  const spoiled = Uint8Array.from(csr);
  spoiled[spoiled.length - 1] = (spoiled.at(-1) ?? 0) ^ 1;
  expect(await statusOf(world.svids.mintX509SVID({ csr: spoiled }))).toBe(Code.INVALID_ARGUMENT);
});

it('[ID-29] says nothing about other trust domains', async () => {
  expect((await createEntry(world, { path: '/x', trustDomain: 'b.test' })).code).toBe(Code.INVALID_ARGUMENT);
  expect(await statusOf(mint('spiffe://b.test/x'))).toBe(Code.INVALID_ARGUMENT);
  const id = { trustDomain: 'b.test', path: '/x' };
  expect(await statusOf(world.svids.mintJWTSVID({ id, audience: ['y'] }))).toBe(Code.INVALID_ARGUMENT);
});

it('[ID-07] [ID-16] [ID-18] takes hierarchical paths, and neither upper-case trust domains nor too long IDs', async () => {
  expect((await createEntry(world, { path: '/p', trustDomain: 'A.test' })).code).toBe(Code.INVALID_ARGUMENT);
  expect((await createEntry(world, { path: '/a/b/c/d', selectors: ['unix:uid:4294967290'] })).code).toBe(0);
  const room = 2048 - 'spiffe://a.test'.length;
  expect((await createEntry(world, { path: `/${'x'.repeat(room)}` })).code).toBe(Code.INVALID_ARGUMENT);
  expect(await statusOf(mint('spiffe://A.test/p'))).toBe(Code.INVALID_ARGUMENT);
});

it('[ID-17] issues and serves an ID of exactly 2048 bytes', async () => {
  const path = `/${'x'.repeat(2048 - 'spiffe://a.test/'.length)}`;
  expect((await createEntry(world, { path })).code).toBe(0);
  const stream = reader(world.workload.fetchX509SVID({}, STREAM));
  const { svids } = await messageThat(stream, (message) => message.svids.length === 2);
  await stream.return?.();
  expect(svids.map(({ spiffeId }) => spiffeId)).toContain(`spiffe://a.test${path}`);
  const jwts = await world.workload.fetchJWTSVID({ audience: ['y'], spiffeId: `spiffe://a.test${path}` }, HEADER);
  const answer = await world.workload.validateJWTSVID({ audience: 'y', svid: jwts.svids[0]?.svid ?? '' }, HEADER);
  expect(answer.spiffeId).toHaveLength(2048);
});

it('[JWT-H4] lets no token outlive the publication of its key, whatever life is asked for', async () => {
  const id = { trustDomain: 'a.test', path: '/x' };
  const { jwtAuthorities } = await world.bundles.getBundle({});
  const latest = Math.max(...jwtAuthorities.map(({ expiresAt }) => Number(expiresAt)));
  for (const ttl of [60, 86_400, 30 * 86_400]) {
    const { svid } = await world.svids.mintJWTSVID({ id, audience: ['y'], ttl });
    const { exp, iat } = claimsOf(svid?.token ?? '') as { exp: number; iat: number };
    expect(exp).toBeLessThanOrEqual(Math.min(latest, iat + ttl));
  }
});
