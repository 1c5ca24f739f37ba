import { randomBytes } from 'node:crypto';
import { Code } from '@steeple/proto/grpc';
import { bundleV1, svidV1 } from '@steeple/proto/server-api';
import {
  BundleSet,
  generateKey,
  localSigner,
  parseCertificate,
  SpiffeId,
  spkiOf,
  verifyX509Svid,
  X509Issuer,
  type X509Svid,
} from '@steeple/spiffe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskCa } from './testing/disk-ca.ts';
import { newRequest, svidOf, TestServer } from './testing/test-server.ts';

let server: TestServer;
let agent: X509Svid;
let below: X509Svid;

/** An SVID of an entry with the switch downstream, taken by the agent. */
const downstreamSvid = async (on: TestServer, parent: X509Svid, path: string): Promise<X509Svid> => {
  const entryId = await on.createEntry(parent, path, { downstream: true });
  const { csr, key } = await newRequest();
  const { results } = await (await on.remote(svidV1.SVID, parent)).batchNewX509SVID({ params: [{ entryId, csr }] });
  return svidOf(results[0]?.svid, key);
};
const newJwtKey = (keyId: string) => ({
  keyId,
  publicKey: Uint8Array.from(spkiOf(localSigner(generateKey('ec-p256')).publicKey)),
  expiresAt: BigInt(Math.floor(Date.now() / 1000) + 3600),
  tainted: false,
});

beforeAll(async () => {
  server = await TestServer.start({ experimental: { feature_flags: ['wit-svid'] } });
  agent = await server.attest();
  below = await downstreamSvid(server, agent, '/below');
});
afterAll(() => server[Symbol.asyncDispose]());

describe('a server below', () => {
  it('gets a CA whose SVIDs everyone verifies', async () => {
    const { csr, key } = await newRequest('spiffe://example.org');
    const svids = await server.remote(svidV1.SVID, below);
    const { caCertChain, x509Authorities } = await svids.newDownstreamX509CA({ csr, preferredTtl: 600 });
    const [certificate, ...above] = caCertChain.map((der) => parseCertificate(der));
    if (!certificate) throw new Error('no CA');
    const bundle = await server.bundle();
    expect(x509Authorities).toHaveLength(bundle.x509Authorities.length);
    expect(certificate).toMatchObject({ isCa: true, uriSans: ['spiffe://example.org'] });
    expect(certificate.subjectText).toMatch(/^C=US,O=SPIFFE,OU=DOWNSTREAM-1,serialNumber=\d+$/);
    expect(certificate.notAfter - Date.now() / 1000).toBeLessThanOrEqual(600);
    const issuer = new X509Issuer(localSigner(key), certificate, above);
    const leaf = await issuer.issueLeaf({
      id: SpiffeId.parse('spiffe://example.org/far'),
      spki: spkiOf(localSigner(generateKey('ec-p256')).publicKey),
      notBefore: Date.now() / 1000 - 10,
      notAfter: Date.now() / 1000 + 60,
      serial: randomBytes(16),
    });
    verifyX509Svid([leaf, ...issuer.chain], BundleSet.of(bundle), { now: Date.now() / 1000 });
  });

  it('gets the default life when it has no wish, and never one beyond the CA above', async () => {
    const svids = await server.remote(svidV1.SVID, below);
    const root = (await server.bundle()).x509Authorities[0]?.certificate.notAfter;
    for (const preferredTtl of [0, 2 ** 31 - 1]) {
      const { csr } = await newRequest('spiffe://example.org');
      const { caCertChain } = await svids.newDownstreamX509CA({ csr, preferredTtl });
      expect(parseCertificate(caCertChain[0] ?? new Uint8Array()).notAfter).toBe(root);
    }
  });

  it.each([
    ['nothing', new Uint8Array(), 'missing CSR'],
    ['garbage', Uint8Array.of(1, 2), 'malformed CSR'],
  ])('is refused a CA for %s', async (_what, csr, message) => {
    const svids = await server.remote(svidV1.SVID, below);
    await expect(svids.newDownstreamX509CA({ csr })).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining(message),
    });
  });

  it('is refused a CA for a key that it does not hold', async () => {
    const { csr } = await newRequest('spiffe://example.org');
    csr.set([(csr.at(-1) ?? 0) ^ 1], csr.length - 1);
    await expect((await server.remote(svidV1.SVID, below)).newDownstreamX509CA({ csr })).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
    });
  });

  it('publishes keys, which everyone then sees, and gets all of them back', async () => {
    const bundles = await server.remote(bundleV1.Bundle, below);
    const [jwt, wit] = [newJwtKey('from-below'), newJwtKey('wit-from-below')];
    const answer = await bundles.publishJWTAuthority({ jwtAuthority: jwt });
    expect(answer.jwtAuthorities.map(({ keyId }) => keyId)).toContain('from-below');
    expect(answer.jwtAuthorities).toHaveLength(2);
    await bundles.publishJWTAuthority({ jwtAuthority: { ...jwt, tainted: true } });
    await bundles.publishWITAuthority({ witAuthority: wit });
    const { jwtAuthorities, witAuthorities } = await server.admin(bundleV1.Bundle).getBundle({});
    expect(jwtAuthorities.find(({ keyId }) => keyId === 'from-below')).toMatchObject({ tainted: false });
    expect(witAuthorities.map(({ keyId }) => keyId)).toContain('wit-from-below');
  });

  it('cannot take the id of a key that exists, and is told what is missing', async () => {
    const bundles = await server.remote(bundleV1.Bundle, below);
    await bundles.publishJWTAuthority({ jwtAuthority: newJwtKey('twice') });
    for (const [request, message] of [
      [{ jwtAuthority: newJwtKey('twice') }, 'unable to append authorities'],
      [{}, 'missing JWT authority'],
      [{ jwtAuthority: newJwtKey('') }, 'invalid JWT authority: missing key ID'],
      [{ jwtAuthority: { ...newJwtKey('k'), publicKey: Uint8Array.of(1) } }, 'invalid JWT authority'],
    ] as const) {
      await expect(bundles.publishJWTAuthority(request)).rejects.toMatchObject({
        code: Code.INVALID_ARGUMENT,
        message: expect.stringContaining(message),
      });
    }
  });

  it('is nobody else: agents, administrators and strangers are refused', async () => {
    const { csr } = await newRequest('spiffe://example.org');
    const ordinary = async () => {
      const { csr: request, key } = await newRequest('spiffe://example.org/ordinary');
      return svidOf((await server.admin(svidV1.SVID).mintX509SVID({ csr: request })).svid, key);
    };
    const callers = [agent, await ordinary(), undefined];
    for (const caller of callers) {
      await expect((await server.remote(svidV1.SVID, caller)).newDownstreamX509CA({ csr })).rejects.toMatchObject({
        code: Code.PERMISSION_DENIED,
      });
      const bundles = await server.remote(bundleV1.Bundle, caller);
      await expect(bundles.publishJWTAuthority({ jwtAuthority: newJwtKey('x') })).rejects.toMatchObject({
        code: Code.PERMISSION_DENIED,
      });
    }
    await expect(server.admin(svidV1.SVID).newDownstreamX509CA({ csr })).rejects.toMatchObject({
      code: Code.PERMISSION_DENIED,
      message: 'authorization denied for method /spire.api.server.svid.v1.SVID/NewDownstreamX509CA',
    });
  });

  it('below a server that has no WIT is told so', async () => {
    await using plain = await TestServer.start();
    const svid = await downstreamSvid(plain, await plain.attest(), '/below');
    const bundles = await plain.remote(bundleV1.Bundle, svid);
    await expect(bundles.publishWITAuthority({ witAuthority: newJwtKey('w') })).rejects.toMatchObject({
      code: Code.UNIMPLEMENTED,
    });
  });

  it('gets the chain up to the root when the server above is below another', async () => {
    await using ca = await DiskCa.make();
    await using middle = await TestServer.start({}, ca.plugins);
    const svid = await downstreamSvid(middle, await middle.attest(), '/below');
    const { csr } = await newRequest('spiffe://example.org');
    const { caCertChain } = await (await middle.remote(svidV1.SVID, svid)).newDownstreamX509CA({ csr });
    const chain = caCertChain.map((der) => parseCertificate(der));
    expect(chain).toHaveLength(2);
    expect(chain[1]?.isSignedBy(ca.root)).toBe(true);
  });
});
