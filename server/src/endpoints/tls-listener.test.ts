import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { bundleV1 } from '@steeple/proto/server-api';
import { BundleSet, parseCertificate, pkcs8Of, toPem, verifyX509Svid, type X509Svid } from '@steeple/spiffe';
import { TestTrustDomain } from '@steeple/test-kit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestServer } from '../testing/test-server.ts';

/** HTTP/2's opening words, so that a server that lets us in answers. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const dial = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
  const socket = connect({
    host: '127.0.0.1',
    port: server.running.addresses.port,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...options,
  });
  socket.on('error', () => undefined);
  await Promise.race([heard(socket, 'secureConnect'), heard(socket, 'close')]);
  return socket;
};

/** Unlike `once` of node:events not upset by errors, which are what some tests are about. */
const heard = (socket: Socket, event: string): Promise<void> =>
  new Promise((resolve) => {
    if (event === 'close' && socket.closed) resolve();
    else socket.once(event, () => resolve());
  });

/** Whether the server speaks HTTP/2 with us. */
const isServed = async (socket: TLSSocket): Promise<boolean> => {
  socket.write(PREFACE);
  const answered = await Promise.race([
    heard(socket, 'data').then(() => true),
    heard(socket, 'close').then(() => false),
  ]);
  socket.destroy();
  return answered;
};

const presenting = (svid: X509Svid): ConnectionOptions => ({
  cert: svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''),
  key: toPem('PRIVATE KEY', pkcs8Of(svid.privateKey)),
});

describe('TlsListener', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('serves strangers over %s', async (version) => {
    const socket = await dial({ minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
    expect(await isServed(socket)).toBe(true);
  });

  it('refuses TLS 1.1', async () => {
    const socket = await dial({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    expect(await isServed(socket)).toBe(false);
  });

  it.each([[['http/1.1']], [[]]])('refuses a client that offers %j instead of h2', async (protocols) => {
    const socket = await dial({ ALPNProtocols: protocols });
    expect(await isServed(socket)).toBe(false);
  });

  it('presents a chain that verifies, without the root', async () => {
    const socket = await dial();
    const chain: Uint8Array[] = [];
    const peer = socket.getPeerX509Certificate();
    for (
      let one = peer;
      one && !chain.some((raw) => Buffer.compare(raw, one?.raw ?? raw) === 0);
      one = one.issuerCertificate
    ) {
      chain.push(one.raw);
    }
    socket.destroy();
    expect(chain).toHaveLength(1);
    const bundles = BundleSet.of(await server.bundle());
    const { id } = verifyX509Svid(
      chain.map((raw) => parseCertificate(raw)),
      bundles,
      { now: Date.now() / 1000 },
    );
    expect(id.toString()).toBe('spiffe://example.org/spire/server');
  });

  it('serves an agent, and cuts off whoever presents a certificate that does not verify', async () => {
    const agent = await server.attest();
    expect(await isServed(await dial(presenting(agent)))).toBe(true);
    const impostor = await TestTrustDomain.create('example.org');
    const foreign = await TestTrustDomain.create('other.test');
    expect(await isServed(await dial(presenting(await impostor.x509Svid(agent.id.path))))).toBe(false);
    expect(await isServed(await dial(presenting(await foreign.x509Svid('/x'))))).toBe(false);
  });

  it('lets in the administrator of another trust domain, and nobody else of it', async () => {
    const foreign = await TestTrustDomain.create('other.test');
    await using open = await TestServer.start({ admin_ids: ['spiffe://other.test/admin'] });
    const authorities = foreign.bundle.x509Authorities.map(({ certificate }) => ({
      asn1: certificate.raw as Uint8Array<ArrayBuffer>,
    }));
    await open
      .admin(bundleV1.Bundle)
      .batchSetFederatedBundle({ bundle: [{ trustDomain: 'other.test', x509Authorities: authorities }] });
    const { port } = open.running.addresses;
    const served = async (path: string) => isServed(await dial({ port, ...presenting(await foreign.x509Svid(path)) }));
    expect(await served('/admin')).toBe(true);
    expect(await served('/admin/x')).toBe(false);
    expect(await served('/x')).toBe(false);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('resumes no session over %s', async (version) => {
    const agent = await server.attest();
    const options = { ...presenting(agent), minVersion: version, maxVersion: version };
    const first = await dial(options);
    const sessions: Buffer[] = [];
    first.on('session', (session: Buffer) => sessions.push(session));
    expect(await isServed(first)).toBe(true);
    const [session = first.getSession()] = sessions;
    const second = await dial({ ...options, ...(session && { session }) });
    expect(second.isSessionReused()).toBe(false);
    expect(await isServed(second)).toBe(true);
  });

  it('presents its next SVID without a restart, and open connections go on', async () => {
    await using short = await TestServer.start({ default_x509_svid_ttl: '2s' });
    const serial = async (): Promise<string | undefined> => {
      const socket = await dial({ port: short.running.addresses.port });
      const { serialNumber } = socket.getPeerX509Certificate() ?? {};
      socket.destroy();
      return serialNumber;
    };
    const bundles = await short.remote(bundleV1.Bundle);
    await bundles.getBundle({});
    const first = await serial();
    while ((await serial()) === first) await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await bundles.getBundle({})).x509Authorities).toHaveLength(1);
  });

  it('survives garbage', async () => {
    for (const bytes of [Buffer.alloc(1000, 0xff), Buffer.from('GET / HTTP/1.1\r\n\r\n'), PREFACE]) {
      const socket = createConnection(server.running.addresses.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.end(bytes);
      await heard(socket, 'close');
    }
    expect((await (await server.remote(bundleV1.Bundle)).getBundle({})).trustDomain).toBe('example.org');
  });
});

describe('the age of a connection', () => {
  it('ends before the certificate does that the client came with', async () => {
    await using short = await TestServer.start({ agent_ttl: '4s' });
    const session = connectHttp2(`https://127.0.0.1:${short.running.addresses.port}`, {
      rejectUnauthorized: false,
      ...presenting(await short.attest()),
    });
    const [code] = (await once(session, 'goaway')) as [number];
    expect(code).toBe(constants.NGHTTP2_NO_ERROR);
    await once(session, 'close');
  });

  it.each([
    ['three minutes, more or less', () => server.attest(), 161_000, 38_000],
    ['one minute for a stranger', async () => undefined, 55_000, 6000],
  ])('is %s; then it is told to go away', async (_age, join, still, over) => {
    const svid = await join();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const session = connectHttp2(`https://127.0.0.1:${server.running.addresses.port}`, {
        rejectUnauthorized: false,
        ...(svid && presenting(svid)),
      });
      await once(session, 'remoteSettings');
      const goaway = once(session, 'goaway');
      await vi.advanceTimersByTimeAsync(still);
      await new Promise((resolve) => session.ping(resolve));
      expect(session.closed).toBe(false);
      await vi.advanceTimersByTimeAsync(over);
      expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('with require_pq_kem', () => {
  it('takes post-quantum key exchanges only', async () => {
    await using strict = await TestServer.start({ experimental: { require_pq_kem: true } });
    const { port } = strict.running.addresses;
    expect(await isServed(await dial({ port }))).toBe(true);
    for (const weak of [{ ecdhCurve: 'X25519' }, { ecdhCurve: 'P-256' }, { maxVersion: 'TLSv1.2' as const }]) {
      expect(await isServed(await dial({ port, ...weak }))).toBe(false);
    }
    // Our own clients, and so our agents, offer one.
    expect((await strict.attest()).id.path).toMatch(/^\/spire\/agent\/join_token\//);
  });
});
