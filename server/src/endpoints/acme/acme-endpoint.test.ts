import { X509Certificate } from 'node:crypto';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import { toPem } from '@steeple/spiffe';
import { FakeClock, MemoryLogger, type TempDir, TestTrustDomain, tempDir } from '@steeple/test-kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestAcme } from '../../testing/test-acme.ts';
import { type BundleEndpoint, serveBundle } from '../bundle-endpoint.ts';

let web: TestTrustDomain;
let acme: TestAcme;
let dir: TempDir;
let clock: FakeClock;
let logger: MemoryLogger;
let endpoint: BundleEndpoint | undefined;
let end: AbortController;
let fresh: Promise<unknown> | undefined;

beforeEach(async () => {
  web = await TestTrustDomain.create('web.test');
  acme = await TestAcme.open(web);
  dir = await tempDir();
  clock = new FakeClock(Date.now() / 1000);
  acme.now = clock.now;
  logger = new MemoryLogger();
});

afterEach(async () => {
  await stop();
  await acme[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const start = async (more: { tosAccepted?: boolean } = {}): Promise<BundleEndpoint> => {
  const { directoryUrl } = acme;
  const identity = {
    kind: 'acme' as const,
    directoryUrl,
    domainName: 'bundle.test',
    email: 'a@b.test',
    tosAccepted: true,
  };
  endpoint = await serveBundle({
    settings: { address: '127.0.0.1', port: 0, refreshHint: 300, identity: { ...identity, ...more } },
    bundle: () => web.bundle,
    wit: false,
    svid: { x509Svid: () => Promise.reject(new Error('not asked')) as never },
    dataDir: dir.join('data'),
    webRoots: () => [toPem('CERTIFICATE', web.issuer.certificate.raw)],
    clock,
    logger,
  });
  acme.challengePort ||= endpoint.port;
  end = new AbortController();
  fresh = endpoint.keepFresh?.(end.signal).catch(() => {});
  return endpoint;
};

const stop = async (): Promise<void> => {
  end?.abort();
  await fresh;
  await endpoint?.[Symbol.asyncDispose]();
  endpoint = undefined;
};

/** Moves time on until the text was logged. */
const logged = async (message: string, times = 1): Promise<void> => {
  while (logger.records.filter((record) => record.message === message).length < times) {
    await clock.settled();
    await clock.advance(1);
  }
};

/** Of what is presented, if the Web's authority signed it; the certificates are of the test's time. */
const serial = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: endpoint?.port, servername: 'bundle.test', rejectUnauthorized: false };
    const socket = connect(options, () => {
      const shown = socket.getPeerX509Certificate();
      const root = new X509Certificate(web.issuer.certificate.raw);
      if (shown?.verify(root.publicKey) === true && shown.checkHost('bundle.test')) resolve(shown.serialNumber);
      else reject(new Error('not signed by the Web'));
      socket.destroy();
    });
    socket.once('error', reject);
  });

it('obtains a certificate that the Web believes, keeps it over a restart, and renews it in time', async () => {
  await start();
  await expect(serial()).rejects.toThrow();
  await logged('Certificate obtained by ACME');
  const first = await serial();
  const files = await readdir(dir.join('data', 'bundle-acme'));
  expect(files.sort()).toEqual(['account.pem', 'certificate.pem']);
  for (const file of files) expect((await stat(dir.join('data', 'bundle-acme', file))).mode & 0o777).toBe(0o600);
  const asked = acme.requests.length;

  await stop();
  acme.challengePort = 0;
  await start();
  await clock.settled();
  expect(await serial()).toBe(first);
  expect(acme.requests).toHaveLength(asked);

  await clock.advance(acme.ttl / 2);
  expect(acme.requests).toHaveLength(asked);
  await clock.advance(acme.ttl / 5);
  await logged('Certificate obtained by ACME', 2);
  expect(await serial()).not.toBe(first);
  expect(acme.requests.filter((request) => request === 'POST /account').length).toBeGreaterThan(1);
});

it('says why there is no certificate, and tries again later', async () => {
  acme.challengePort = 1;
  await start();
  await logged('No certificate could be obtained by ACME');
  expect(String(logger.records.at(-1)?.fields['error'])).toMatch(
    /could not verify the domain name: not the answer: .*ECONNREFUSED/,
  );
  acme.challengePort = endpoint?.port ?? 0;
  await clock.settled();
  await clock.advance(300);
  await logged('Certificate obtained by ACME');
  expect(await serial()).toMatch(/^[0-9A-F]+$/);
});

it('serves and keeps no certificate that is for something else', async () => {
  acme.certifies = 'other.test';
  await start();
  await logged('No certificate could be obtained by ACME');
  expect(String(logger.records.at(-1)?.fields['error'])).toContain('for something else');
  expect(await readdir(dir.join('data', 'bundle-acme'))).toEqual(['account.pem']);
  await writeFile(dir.join('data', 'bundle-acme', 'certificate.pem'), 'not a certificate');
  acme.certifies = undefined;
  await stop();
  acme.challengePort = 0;
  await start();
  await logged('Certificate obtained by ACME');
  expect(await serial()).toMatch(/^[0-9A-F]+$/);
});

it('does not ask on and on for a certificate that is old when it comes', async () => {
  acme.now = () => clock.now() - acme.ttl;
  await start();
  await logged('No certificate could be obtained by ACME');
  expect(String(logger.records.at(-1)?.fields['error'])).toContain('due for renewal already');
  await clock.advance(200);
  expect(acme.requests.filter((request) => request === 'POST /new-order')).toHaveLength(2);
});

it('does not accept terms of service that nobody has accepted', async () => {
  await start({ tosAccepted: false });
  await logged('No certificate could be obtained by ACME');
  expect(String(logger.records.at(-1)?.fields['error'])).toContain(
    'https://localhost/terms are not accepted: see tos_accepted',
  );
  expect(acme.requests).toEqual(['GET /directory']);
});

it('answers no challenge that nobody waits for, and ends with clients that say nothing', async () => {
  await start();
  await logged('Certificate obtained by ACME');
  const { port = 0 } = endpoint ?? {};
  const refused = await new Promise<Error>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['acme-tls/1'], rejectUnauthorized: false });
    socket.once('error', resolve);
  });
  expect(refused).toBeInstanceOf(Error);
  const silent = connectPlain(port, '127.0.0.1');
  silent.on('error', () => {});
  await new Promise<void>((done) => silent.once('connect', () => done()));
  const ended = new Promise<void>((done) => silent.once('close', () => done()));
  await stop();
  await ended;
});
