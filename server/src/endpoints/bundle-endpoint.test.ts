import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect } from 'node:tls';
import { parseBundleDocument, type TrustBundle, toPem, type X509Svid } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BundleEndpoint, serveBundle } from './bundle-endpoint.ts';
import type { EndpointIdentity } from './unbound-endpoint.ts';

let own: TestTrustDomain;
let web: TestTrustDomain;
let dir: TempDir;
let svid: X509Svid;
let bundle: TrustBundle;
let endpoint: BundleEndpoint | undefined;
let logger: MemoryLogger;
let clock: FakeClock;

beforeEach(async () => {
  own = await TestTrustDomain.create('own.test');
  web = await TestTrustDomain.create('web.test');
  dir = await tempDir();
  svid = await own.x509Svid('/spire/server');
  bundle = own.bundle;
  logger = new MemoryLogger();
  clock = new FakeClock(Date.now() / 1000);
});

afterEach(async () => {
  await endpoint?.[Symbol.asyncDispose]();
  endpoint = undefined;
  await dir[Symbol.asyncDispose]();
});

const serve = async (identity: EndpointIdentity, wit = false): Promise<BundleEndpoint> => {
  endpoint = await serveBundle({
    settings: { address: '127.0.0.1', port: 0, refreshHint: 300, identity },
    bundle: () => bundle,
    wit,
    svid: { x509Svid: () => svid },
    dataDir: dir.join('data'),
    webRoots: () => [],
    clock,
    logger,
  });
  return endpoint;
};

const writePair = async (pair: X509Svid): Promise<EndpointIdentity> => {
  const [certFile, keyFile] = [dir.join('cert.pem'), dir.join('key.pem')];
  await writeFile(keyFile, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(certFile, pair.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''));
  return { kind: 'files', certFile, keyFile, interval: 60 };
};

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

const ask = (path = '/', method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const call = request({
      host: '127.0.0.1',
      port: endpoint?.port,
      path,
      method,
      rejectUnauthorized: false,
      agent: false,
    });
    call.once('error', reject).once('response', (response) => {
      const { statusCode: status, headers } = response;
      text(response).then((body) => resolve({ status, type: headers['content-type'], body }), reject);
    });
    call.end();
  });

/** What a handshake shows, or its error. */
const shake = (
  options: ConnectionOptions = {},
): Promise<{ names?: string; protocol?: string | null; failure?: string }> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: endpoint?.port, rejectUnauthorized: false, ...options });
    socket.once('error', ({ message }) => resolve({ failure: message }));
    socket.once('secureConnect', () => {
      resolve({ names: socket.getPeerCertificate().subjectaltname ?? '', protocol: socket.getProtocol() });
      socket.destroy();
    });
  });

describe('what is published', () => {
  it('is the bundle of the moment, at / and by GET only', async () => {
    await serve({ kind: 'svid' });
    const first = await ask();
    expect([first.status, first.type]).toEqual([200, 'application/json']);
    const read = parseBundleDocument(own.trustDomain, first.body);
    expect(read.equals(bundle.with({ refreshHint: 300, witAuthorities: [] }))).toBe(true);
    await own.rotate();
    bundle = own.bundle;
    expect(parseBundleDocument(own.trustDomain, (await ask('/?now')).body).x509Authorities).toHaveLength(2);
    const others: [string, string][] = [
      ['/', 'POST'],
      ['/', 'HEAD'],
      ['/other', 'POST'],
      ['/bundle', 'GET'],
      ['//', 'GET'],
    ];
    const statuses: unknown[] = [];
    for (const [path, method] of others) statuses.push((await ask(path, method)).status);
    expect(statuses).toEqual([405, 405, 405, 404, 404]);
  });

  it('holds WIT authorities only when they are switched on', async () => {
    await serve({ kind: 'svid' }, true);
    expect(parseBundleDocument(own.trustDomain, (await ask()).body).witAuthorities).toHaveLength(1);
  });
});

describe('https_spiffe', () => {
  it('presents the SVID of the moment and asks for none', async () => {
    await serve({ kind: 'svid' });
    expect((await shake()).names).toBe('URI:spiffe://own.test/spire/server');
    svid = await own.x509Svid('/renewed');
    expect((await shake()).names).toBe('URI:spiffe://own.test/renewed');
    const asked = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: endpoint?.port, rejectUnauthorized: false });
      // Node tells of a CertificateRequest by the certificate it would send.
      socket.once('secureConnect', () => {
        resolve(Object.keys(socket.getCertificate() ?? {}).length > 0);
        socket.destroy();
      });
    });
    expect(asked).toBe(false);
  });
});

describe('https_web with files', () => {
  it('takes a renewed certificate without a restart, and keeps the old one while the files are not good', async () => {
    const { keepFresh } = await serve(await writePair(await web.x509Svid('/one', { dnsNames: ['one.test'] })));
    expect((await shake()).names).toContain('DNS:one.test');
    const end = new AbortController();
    const fresh = keepFresh?.(end.signal).catch(() => {});
    const look = async (): Promise<void> => {
      await clock.settled();
      await clock.advance(60);
      await clock.settled();
    };
    await writePair(await web.x509Svid('/two', { dnsNames: ['two.test'] }));
    await look();
    expect((await shake()).names).toContain('DNS:two.test');
    await writeFile(dir.join('cert.pem'), 'half a certif');
    await look();
    expect((await shake()).names).toContain('DNS:two.test');
    await writePair(await web.x509Svid('/three', { dnsNames: ['three.test'] }));
    await look();
    expect((await shake()).names).toContain('DNS:three.test');
    expect(logger.text).not.toContain('half');
    end.abort();
    await fresh;
  });

  it('does not start with files that do not fit together', async () => {
    const identity = await writePair(await web.x509Svid('/one'));
    await writeFile(dir.join('key.pem'), svid.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await expect(serve(identity)).rejects.toThrow(/key_file_path.*is not the key of the certificate/);
    await writeFile(dir.join('key.pem'), 'nothing');
    await expect(serve(identity)).rejects.toThrow(/key_file_path.*holds no PEM private key/);
  });
});

describe.each(['svid', 'files'] as const)('TLS with %s', (kind) => {
  beforeEach(async () => {
    await serve(kind === 'svid' ? { kind } : await writePair(await web.x509Svid('/site', { dnsNames: ['localhost'] })));
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const { protocol } = await shake({ minVersion: version, maxVersion: version });
    expect(protocol).toBe(version);
  });

  it('refuses what Mozilla calls neither modern nor intermediate', async () => {
    const refused: ConnectionOptions[] = [
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' },
      { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384:AES128-SHA' },
      { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES256-GCM-SHA384' },
      { ecdhCurve: 'secp521r1' },
    ];
    for (const options of refused) expect(await shake(options)).toHaveProperty('failure');
  });
});
