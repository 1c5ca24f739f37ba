// The SPIFFE bundle document that a real server gives out, through rotations and restarts.
import { createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { json } from 'node:stream/consumers';
import { Code } from '@steeple/proto/grpc';
import { expect, it } from 'vitest';
import { freePort } from '../../cli/src/dev/free-port.ts';
import type { JwkSet } from './decode-token.ts';
import { stackWorld, WIT } from './stack-world.ts';

const port = await freePort();
const world = stackWorld({
  server: { ...WIT, federation: { bundle_endpoint: { address: '127.0.0.1', port } } },
});

interface Document extends JwkSet {
  readonly spiffe_sequence: number;
}
type Entry = Document['keys'][number] & { readonly x5c?: string[] };

async function read(): Promise<Document> {
  return JSON.parse(await world.stack.cli(['bundle', 'show', '--format', 'spiffe'])) as Document;
}
const entriesFor = (document: Document, use: string) => document.keys.filter((key) => key.use === use) as Entry[];

it('[X509-33] [X509-34] [X509-35] [X509-36] [X509-37] has one self-signed certificate per X.509 entry, and no key id', async () => {
  const document = await read();
  const { x509Authorities } = await world.bundles.getBundle({});
  const entries = entriesFor(document, 'x509-svid');
  expect(entries).toHaveLength(x509Authorities.length);
  for (const { x5c = [], use: _use, ...jwk } of entries) {
    expect('kid' in jwk).toBe(false);
    expect(x5c).toHaveLength(1);
    expect(x5c[0]).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    const certificate = new X509Certificate(Buffer.from(x5c[0] ?? '', 'base64'));
    expect(createPublicKey({ key: jwk, format: 'jwk' }).equals(certificate.publicKey)).toBe(true);
    expect([certificate.issuer, certificate.verify(certificate.publicKey)]).toEqual([certificate.subject, true]);
  }
});

it('[JWT-20] [JWT-21] names every JWT authority by use and key id', async () => {
  const { jwtAuthorities } = await world.bundles.getBundle({});
  const kids = entriesFor(await read(), 'jwt-svid').map(({ kid }) => kid);
  expect(kids).toEqual(jwtAuthorities.map(({ keyId }) => keyId));
  expect(kids.length).toBeGreaterThan(0);
  expect(new Set(kids).size).toBe(kids.length);
});

it('[WIT-32] names every WIT authority by its use, and leaves them out for readers that do not know it', async () => {
  const { witAuthorities } = await world.bundles.getBundle({});
  const published = entriesFor(await read(), 'wit-svid');
  expect(published.map(({ kid }) => kid)).toEqual(witAuthorities.map(({ keyId }) => keyId));
  expect(published.length).toBeGreaterThan(0);
  const text = await world.stack.cli(['bundle', 'show', '--format', 'spiffe', '--without-wit']);
  const without = JSON.parse(text) as Document;
  expect(entriesFor(without, 'wit-svid')).toEqual([]);
  expect(without.keys).toEqual((await read()).keys.filter(({ use }) => use !== 'wit-svid'));
});

it('[TDB-07] [WIT-32] [X509-33] [JWT-20] says when to look again, at the bundle endpoint too, which publishes the same', async () => {
  const shown = await read();
  expect(shown).toMatchObject({ spiffe_refresh_hint: 300 });
  // Who it is that publishes is the federation tests' matter.
  const request = get(`https://127.0.0.1:${port}/`, { rejectUnauthorized: false, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect(await json(response)).toEqual(shown);
});

it('[TDB-13] [TDB-14] [TDB-16] gives each key its type, its use and nothing beyond the standard', async () => {
  const allowed = ['kty', 'use', 'kid', 'x5c', 'crv', 'x', 'y', 'n', 'e'];
  for (const key of (await read()).keys) {
    expect(Object.keys(key).filter((name) => !allowed.includes(name))).toEqual([]);
    expect([typeof key.kty, typeof key.use]).toEqual(['string', 'string']);
  }
});

it('[TDB-04] [TDB-05] counts every change of its content, and never back, also over restarts', {
  timeout: 90_000,
}, async () => {
  const seen: { sequence: number; content: string }[] = [];
  const record = async () => {
    const { spiffe_sequence: sequence, keys } = await read();
    seen.push({ sequence, content: JSON.stringify(keys) });
  };
  await record();
  await world.authorities.prepareX509Authority({});
  await record();
  for (let round = 0; round < 5; round++) {
    const { preparedAuthority } = await world.authorities.prepareJWTAuthority({});
    await record();
    await world.authorities.activateJWTAuthority({ authorityId: preparedAuthority?.authorityId ?? '' });
  }
  await world.stack.server.stop();
  await world.stack.startServer();
  await record();
  for (const { sequence } of seen) expect(Number.isInteger(sequence)).toBe(true);
  seen.slice(1).forEach((now, index) => {
    const before = seen[index] ?? now;
    expect(now.sequence >= before.sequence).toBe(true);
    if (now.content !== before.content) expect(now.sequence).toBeGreaterThan(before.sequence);
    if (now.sequence === before.sequence) expect(now.content).toBe(before.content);
  });
  expect(new Set(seen.map(({ content }) => content)).size).toBeGreaterThan(5);
});

it('[TDB-02] takes no foreign bundle that holds its own root', async () => {
  const { x509Authorities } = await world.bundles.getBundle({});
  const foreign = { trustDomain: 'b.test', x509Authorities: x509Authorities.map(({ asn1 }) => ({ asn1 })) };
  const logged = world.stack.server.output.length;
  const { results } = await world.bundles.batchSetFederatedBundle({ bundle: [foreign] });
  // Refused, or taken with an alarm; the call after it leaves the log time to come.
  await read();
  const isWarned = /level=(warn|error) .*(b\.test|bundle|root)/.test(world.stack.server.output.slice(logged));
  expect({ refused: results[0]?.status?.code !== Code.OK, isWarned }).not.toEqual({ refused: false, isWarned: false });
});

it('[WIT-04] [WIT-33] gives every issuing key pair a key id of its own', { timeout: 90_000 }, async () => {
  const ids = new Set<string>();
  for (let round = 0; round < 100; round++) {
    const { preparedAuthority } = await world.authorities.prepareWITAuthority({});
    const authorityId = preparedAuthority?.authorityId ?? '';
    await world.authorities.activateWITAuthority({ authorityId });
    ids.add(authorityId);
  }
  expect(ids.size).toBe(100);
  const { jwtAuthorities, witAuthorities } = await world.bundles.getBundle({});
  const byKid = new Map(
    [...jwtAuthorities, ...witAuthorities].map(({ keyId, publicKey }) => [
      keyId,
      Buffer.from(publicKey).toString('hex'),
    ]),
  );
  expect(witAuthorities.length).toBeGreaterThan(1);
  expect(witAuthorities.some(({ keyId }) => ids.has(keyId))).toBe(true);
  expect(byKid.size).toBe(jwtAuthorities.length + witAuthorities.length);
  expect(new Set(byKid.values()).size).toBe(byKid.size);
});
