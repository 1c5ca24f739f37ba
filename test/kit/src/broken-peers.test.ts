// Certificates that no issuer of ours would make, against the TLS of the client library, in both directions.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { authorizeAny, connectTls, createTlsServer } from '@steeple/client/tls';
import { BundleSet, parseCertificate, TrustBundle, TrustDomain, toPem } from '@steeple/spiffe';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { brokenLeaves, goodLeaf, goodRoot } from './forge/broken-leaves.ts';
import { type Forged, type ForgeOptions, forgeCertificate } from './forge/forge-certificate.ts';
import { TestTrustDomain } from './index.ts';

const now = Date.now() / 1000;
const root = forgeCertificate(goodRoot('a.test', now));
const bundles = BundleSet.of(
  TrustBundle.of(TrustDomain.parse('a.test'), {
    x509Authorities: [{ certificate: parseCertificate(root.der), tainted: false }],
  }),
);
const policy = { bundles, authorize: authorizeAny(), now: () => now };
const good = goodLeaf('spiffe://a.test/workload', now);
const servers: Server[] = [];
let ours: TestTrustDomain;

beforeAll(async () => {
  ours = await TestTrustDomain.create('ours.test');
});

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function pems(chain: readonly Forged[]) {
  const [leaf] = chain;
  return {
    cert: chain.map(({ der }) => toPem('CERTIFICATE', der)).join(''),
    key: leaf?.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() ?? '',
  };
}

async function portOf(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What our client says to a server presenting this chain. */
async function asServer(chain: readonly Forged[]): Promise<unknown> {
  const server = createServer(pems(chain), (socket) => socket.on('error', () => {}).end());
  const port = await portOf(server);
  try {
    const { socket, peer } = await connectTls({ host: '127.0.0.1', port }, policy);
    socket.destroy();
    return peer.id.toString();
  } catch (error) {
    return (error as { code: unknown }).code;
  }
}

/** What our server says to a client presenting this chain. */
async function asClient(chain: readonly Forged[]): Promise<unknown> {
  const svid = await ours.x509Svid('/server');
  const verdict = Promise.withResolvers<unknown>();
  const server = createTlsServer(
    {
      ...policy,
      svid: { x509Svid: () => svid },
      onRefused: (error) => verdict.resolve((error as { code?: unknown }).code),
    },
    (socket, peer) => {
      verdict.resolve(peer?.id.toString());
      socket.on('error', () => {}).end();
    },
  );
  const port = await portOf(server);
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ...pems(chain), rejectUnauthorized: false });
  socket.on('error', () => {}).resume();
  const said = await verdict.promise;
  socket.destroy();
  return said;
}

const leafOf = (options: ForgeOptions) => [forgeCertificate({ ...options, issuer: root })];

describe.each([
  ['a server', asServer],
  ['a client', asClient],
])('%s presenting', (_role, verdictOf) => {
  it('a good leaf is accepted, so that the refusals below mean something', async () => {
    expect(await verdictOf(leafOf(good))).toBe('spiffe://a.test/workload');
  });

  it.each(Object.keys(brokenLeaves('a.test', now)))('%s is refused', async (name) => {
    const options = brokenLeaves('a.test', now)[name];
    if (options === undefined) throw new Error('no such case');
    expect(await verdictOf(leafOf(options))).toBe('untrusted-peer');
  });

  it('a leaf signed by a stranger with the name of our root is refused', async () => {
    const stranger = forgeCertificate(goodRoot('a.test', now));
    expect(await verdictOf([forgeCertificate({ ...good, issuer: stranger })])).toBe('untrusted-peer');
    expect(await verdictOf([forgeCertificate({ ...good, issuer: stranger }), stranger])).toBe('untrusted-peer');
  });

  it('our own root as its leaf is refused', async () => {
    expect(await verdictOf([root])).toBe('untrusted-peer');
  });

  it('a self-signed leaf is refused', async () => {
    expect(await verdictOf([forgeCertificate(good)])).toBe('untrusted-peer');
  });

  it('a leaf signed by another leaf is refused', async () => {
    const between = forgeCertificate({ ...good, commonName: 'between', issuer: root });
    expect(await verdictOf([forgeCertificate({ ...good, issuer: between }), between])).toBe('untrusted-peer');
  });

  it('a leaf below an intermediate is accepted with the intermediate and refused without', async () => {
    const between = forgeCertificate({ ...goodRoot('a.test', now), commonName: 'between', issuer: root });
    const leaf = forgeCertificate({ ...good, issuer: between });
    expect(await verdictOf([leaf, between])).toBe('spiffe://a.test/workload');
    expect(await verdictOf([leaf])).toBe('untrusted-peer');
  });

  it('an intermediate that has expired, or may not sign, is refused', async () => {
    const base: ForgeOptions = { ...goodRoot('a.test', now), commonName: 'between', issuer: root };
    const expired = forgeCertificate({ ...base, notBefore: now - 7200, notAfter: now - 60 });
    const idle = forgeCertificate({ ...base, keyUsage: ['digitalSignature'] });
    const pathless = forgeCertificate({ ...base, ca: false });
    for (const between of [expired, idle, pathless]) {
      expect(await verdictOf([forgeCertificate({ ...good, issuer: between }), between])).toBe('untrusted-peer');
    }
  });

  it('a leaf of ours for a foreign trust domain, under our root, is refused (B2)', async () => {
    expect(await verdictOf(leafOf({ ...good, uris: ['spiffe://b.test/workload'] }))).toBe('untrusted-peer');
  });
});
