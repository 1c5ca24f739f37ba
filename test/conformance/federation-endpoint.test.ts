// The bundle endpoint of a real server, in both profiles, as strangers see it.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type ConnectionOptions, connect } from 'node:tls';
import {
  BundleSet,
  parseBundleDocument,
  parseCertificate,
  type TrustBundle,
  TrustDomain,
  toPem,
  verifyX509Svid,
  type X509Svid,
} from '@steeple/spiffe';
import { TestTrustDomain, tempDir } from '@steeple/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../cli/src/dev/free-port.ts';
import { TestAcme } from '../../server/src/testing/test-acme.ts';
import { Domain, publishing } from './federation-world.ts';
import { CERTIFICATE, CERTIFICATE_REQUEST, handshakeMessages } from './handshake-messages.ts';

const A = TrustDomain.parse('a.test');
let web: TestTrustDomain;
let spiffe: Domain;
let site: Domain;
const stack = new AsyncDisposableStack();

const writePair = async (dir: string, svid: X509Svid): Promise<{ cert_file_path: string; key_file_path: string }> => {
  const [cert, key] = [join(dir, 'site.crt'), join(dir, 'site.key')];
  await writeFile(key, svid.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(cert, svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''));
  return { cert_file_path: cert, key_file_path: key };
};

let filesDir: string;

beforeAll(async () => {
  web = await TestTrustDomain.create('web.test');
  filesDir = stack.use(await tempDir()).path;
  const files = await writePair(filesDir, await web.x509Svid('/site', { dnsNames: ['localhost'] }));
  spiffe = stack.use(await Domain.open('a.test', web, publishing()));
  const https_web = { serving_cert_file: { ...files, file_sync_interval: '1s' } };
  site = stack.use(await Domain.open('a.test', web, publishing({ https_web })));
});

afterAll(() => stack.disposeAsync());

const both = (): Domain[] => [spiffe, site];

const ask = async (domain: Domain, path = '', method = 'GET'): Promise<IncomingMessage & { bytes: Buffer }> => {
  const call = request(new URL(path, domain.url), { method, rejectUnauthorized: false, agent: false }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return Object.assign(response, { bytes: await buffer(response) });
};

const read = async (domain: Domain): Promise<TrustBundle> => parseBundleDocument(A, (await ask(domain)).bytes);

/** The chain that is presented, or why there is none. */
const shake = (domain: Domain, options: ConnectionOptions = {}): Promise<Buffer | string> =>
  new Promise((resolve) => {
    const { port } = new URL(domain.url);
    const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false, ...options });
    socket.once('error', ({ message }) => resolve(message));
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate().raw);
      socket.destroy();
    });
  });

it('[FED-13] [FED-23] [FED-39] serves the most recent bundle at once, in both profiles', async () => {
  for (const domain of both()) {
    const before = await read(domain);
    await domain.authorities.prepareX509Authority({});
    await domain.authorities.prepareJWTAuthority({});
    const after = await read(domain);
    expect(after.x509Authorities).toHaveLength(before.x509Authorities.length + 1);
    expect(after.jwtAuthorities).toHaveLength(before.jwtAuthorities.length + 1);
    expect(after.sequence > before.sequence).toBe(true);
    expect((await ask(domain)).headers['cache-control']).toBe('no-cache');
  }
});

it('[FED-24] [FED-25] [FED-40] answers JSON in UTF-8 without a byte order mark', async () => {
  for (const domain of both()) {
    const { bytes, headers } = await ask(domain);
    expect(headers['content-type']).toBe('application/json');
    expect(bytes.at(0)).toBe('{'.charCodeAt(0));
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes)).not.toThrow();
  }
});

it('[FED-26] [FED-27] [FED-41] [FED-42] redirects nobody', async () => {
  const asked: [string, string, number][] = [
    ['', 'GET', 200],
    ['/other', 'GET', 404],
    ['/.well-known/spiffe', 'GET', 404],
    ['', 'POST', 405],
    ['', 'OPTIONS', 405],
  ];
  for (const domain of both()) {
    for (const [path, method, status] of asked) {
      const { statusCode, headers } = await ask(domain, path, method);
      expect([path, method, statusCode, headers.location]).toEqual([path, method, status, undefined]);
    }
  }
});

it('[FED-22] [FED-38] asks nobody for a certificate, and nobody for a header', async () => {
  for (const domain of both()) {
    const messages = await handshakeMessages(Number(new URL(domain.url).port));
    expect(messages).toContain(CERTIFICATE);
    expect(messages).not.toContain(CERTIFICATE_REQUEST);
    expect((await ask(domain)).statusCode).toBe(200);
  }
});

it('[FED-20] shows a certificate of the Web, and its successor without a restart', async () => {
  const serialOf = (shown: Buffer | string): string =>
    typeof shown === 'string' ? shown : parseCertificate(shown).serialHex;
  const next = await web.x509Svid('/site', { dnsNames: ['localhost'] });
  expect(serialOf(await shake(site))).not.toBe(next.leaf.serialHex);
  await writePair(filesDir, next);
  while (serialOf(await shake(site)) !== next.leaf.serialHex) await new Promise((done) => setTimeout(done, 50));
});

it('[FED-21] gets a certificate that names the host, where it gets one itself', async () => {
  await using acme = await TestAcme.open(web);
  const account = {
    directory_url: acme.directoryUrl,
    domain_name: 'bundle.test',
    email: 'a@b.test',
    tos_accepted: true,
  };
  acme.challengePort = await freePort();
  const endpoint = { address: '127.0.0.1', port: acme.challengePort, profile: { https_web: { acme: account } } };
  await using own = await Domain.open('acme.test', web, { federation: { bundle_endpoint: endpoint } });
  while (typeof (await shake(own)) === 'string') await new Promise((done) => setTimeout(done, 20));
  const shown = await shake(own);
  expect(typeof shown === 'string' ? [] : parseCertificate(shown).dnsSans).toEqual(['bundle.test']);
});

it('[FED-37] shows an X509-SVID that its own bundle vouches for', async () => {
  const shown = await shake(spiffe);
  if (typeof shown === 'string') throw new Error(shown);
  const bundle = await read(spiffe);
  const { id } = verifyX509Svid([parseCertificate(shown)], BundleSet.of(bundle), { now: Date.now() / 1000 });
  expect(id.toString()).toBe('spiffe://a.test/spire/server');
});

it('[FED-14] speaks TLS 1.2 and 1.3 with the suites of the intermediate profile, and nothing else', async () => {
  const good: ConnectionOptions[] = [
    { minVersion: 'TLSv1.3' },
    { maxVersion: 'TLSv1.2' },
    ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'].map(
      (ciphers): ConnectionOptions => ({ maxVersion: 'TLSv1.2', ciphers }),
    ),
    ...['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'].map((ecdhCurve): ConnectionOptions => ({ ecdhCurve })),
  ];
  const bad: ConnectionOptions[] = [
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256' },
    { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384:AES128-SHA' },
    { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES256-GCM-SHA384' },
    { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_CCM_SHA256' },
    { ecdhCurve: 'secp521r1' },
  ];
  for (const domain of both()) {
    for (const options of good) expect([options, typeof (await shake(domain, options))]).toEqual([options, 'object']);
    for (const options of bad) expect([options, typeof (await shake(domain, options))]).toEqual([options, 'string']);
    const { headers } = await ask(domain);
    expect(headers['strict-transport-security']).toMatch(/^max-age=(6307200\d|\d{9,})$/);
  }
});
