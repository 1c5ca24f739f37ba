// The first bundle: from a file, and from real web servers, good ones and others.
import { writeFile } from 'node:fs/promises';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { ConfigError } from '@steeple/daemon';
import { formatBundleDocument, pkcs8Of, type TrustBundle, toPem } from '@steeple/spiffe';
import { type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { download } from './download.ts';
import { loadTrust } from './load-trust.ts';
import type { TrustSource } from './trust-source.ts';

const systemAuthorities = getCACertificates('default');
const never = new AbortController().signal;
const garbage = 'this is no bundle';
let dir: TempDir;
let domain: TestTrustDomain;
let pem: string;
let web: Server;
let local: Server;
const endlessCut = Promise.withResolvers<void>();

const answers: Readonly<Record<string, RequestListener>> = {
  '/pem': (_, response) => response.end(pem),
  '/spiffe': (_, response) => response.end(formatBundleDocument(domain.bundle)),
  '/garbage': (_, response) => response.end(garbage),
  '/moved': (_, response) => response.writeHead(302, { location: '/pem' }).end(),
  '/missing': (_, response) => response.writeHead(404).end(pem),
  '/silent': () => {},
  '/slow': (_, response) => response.write('-----BEGIN'),
  '/cut': (_, response) => response.writeHead(200, { 'content-length': 9999 }).write(pem, () => response.destroy()),
  '/endless': (_, response) => {
    const more = () => response.write('x'.repeat(65_536)) && setImmediate(more);
    response.on('drain', more).once('close', () => endlessCut.resolve());
    more();
  },
};
/** The query of the last request. */
let query = new URLSearchParams();
const listener: RequestListener = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  query = searchParams;
  answers[pathname]?.(request, response);
};
const listen = (server: Server, where: number | string) =>
  new Promise<Server>((resolve) => server.listen(where, () => resolve(server)));
const at = (path: string) => `https://localhost:${(web.address() as AddressInfo).port}${path}`;
const place = () => ({ trustDomain: domain.trustDomain, host: 'unused', port: 1 });
const load = (source: TrustSource): Promise<TrustBundle> => loadTrust(source, place(), never);

beforeAll(async () => {
  dir = await tempDir();
  domain = await TestTrustDomain.create('web.test');
  const svid = await domain.x509Svid('/web', { dnsNames: ['localhost'] });
  const [root] = domain.bundle.x509Authorities;
  pem = toPem('CERTIFICATE', root?.certificate.raw ?? new Uint8Array());
  const key = toPem('PRIVATE KEY', pkcs8Of(svid.privateKey));
  web = await listen(createHttps({ key, cert: toPem('CERTIFICATE', svid.leaf.raw) }, listener), 0);
  local = await listen(createHttp(listener), dir.join('web.sock'));
  setDefaultCACertificates([...systemAuthorities, pem]);
});
afterAll(async () => {
  setDefaultCACertificates(systemAuthorities);
  for (const server of [web, local]) server.close();
  await dir[Symbol.asyncDispose]();
});

describe('a trust bundle from the web', () => {
  it.each(['pem', 'spiffe'] as const)('in the format %s', async (format) => {
    const bundle = await load({ kind: 'url', url: at(`/${format}`), format });
    expect(bundle.x509Authorities.map(({ certificate }) => certificate.serialHex)).toEqual([
      domain.issuer.certificate.serialHex,
    ]);
  });

  it('from a local web server, by plain HTTP over its unix socket', async () => {
    const source = {
      kind: 'url',
      url: 'http://localhost/pem',
      socketPath: dir.join('web.sock'),
      format: 'pem',
    } as const;
    expect((await load(source)).x509Authorities).toHaveLength(1);
    // As SPIRE tells it what for, how often and for whom.
    expect(Object.fromEntries(query)).toEqual({
      'spire-attest-mode': 'bootstrap',
      'spire-connection-attempts': '1',
      'spire-server-address': 'unused',
      'spire-server-port': '1',
      'spiffe-trust-domain': 'web.test',
    });
    const attempt = { mode: 'rebootstrap', count: 3, since: 1_700_000_000.9 } as const;
    await loadTrust({ ...source, url: 'http://localhost/pem?key=1' }, { ...place(), attempt }, never);
    expect(Object.fromEntries(query)).toMatchObject({
      key: '1',
      'spire-attest-mode': 'rebootstrap',
      'spire-connection-attempts': '3',
      'spire-attest-start-time': '2023-11-14T22:13:20Z',
    });
    const gone = { ...source, socketPath: dir.join('none.sock') };
    await expect(load(gone)).rejects.toThrow(/could not be downloaded: .*ENOENT/);
  });

  it.each([
    ['/moved', /web server answered 302/],
    ['/missing', /web server answered 404/],
    ['/cut', /could not be downloaded: aborted/],
  ])('%s is no bundle, but may be one later', async (path, message) => {
    await expect(load({ kind: 'url', url: at(path), format: 'pem' })).rejects.toMatchObject({
      name: 'GrpcError',
      message: expect.stringMatching(message),
    });
  });

  it('is not taken from a server whose certificate the system does not trust, or that has another name', async () => {
    const source = { kind: 'url', format: 'pem' } as const;
    const byAddress = at('/pem').replace('localhost', '127.0.0.1');
    await expect(load({ ...source, url: byAddress })).rejects.toThrow(/IP: 127\.0\.0\.1 is not in the cert/);
    setDefaultCACertificates(systemAuthorities);
    try {
      await expect(load({ ...source, url: at('/pem') })).rejects.toThrow(/could not be downloaded: .*certificate/);
    } finally {
      setDefaultCACertificates([...systemAuthorities, pem]);
    }
  });

  it('is cut off once it is too long', async () => {
    await expect(download({ url: at('/endless') }, never, { maxBytes: 100_000 })).rejects.toThrow(/too long/);
    await endlessCut.promise;
    await expect(download({ url: at('/garbage') }, never, { maxBytes: garbage.length - 1 })).rejects.toThrow(
      /too long/,
    );
    expect(await download({ url: at('/garbage') }, never, { maxBytes: garbage.length })).toBe(garbage);
  });

  it.each(['/silent', '/slow'])('%s is given up after a while, or when the agent stops', async (path) => {
    await expect(download({ url: at(path) }, never, { timeout: 0.2 })).rejects.toThrow(/no answer within 0\.2 s/);
    const stop = new AbortController();
    const waiting = download({ url: at(path) }, stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 20);
    await expect(waiting).rejects.not.toMatchObject({ name: 'GrpcError' });
  });

  it('that is none stops the agent: waiting makes no bundle of it', async () => {
    const refused = load({ kind: 'url', url: at('/garbage'), format: 'pem' });
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toThrow(/^agent\.trust_bundle_url: no trust bundle in the format pem: /);
    await expect(load({ kind: 'url', url: at('/pem'), format: 'spiffe' })).rejects.toThrow(/in the format spiffe/);
  });
});

describe('a trust bundle from a file', () => {
  it('names the file when it is none, without showing what is in it', async () => {
    const path = dir.join('bundle.pem');
    for (const content of ['', 'secret words', pem.slice(0, 200)]) {
      await writeFile(path, content);
      const error = await load({ kind: 'file', path, format: 'pem' }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).problems).toEqual([
        { path: 'agent.trust_bundle_path', file: path, message: expect.stringContaining('no trust bundle') },
      ]);
      expect(String(error)).not.toContain('secret');
    }
    await expect(load({ kind: 'file', path: dir.join('none'), format: 'pem' })).rejects.toThrow(/none: agent\.trust_/);
  });
});
