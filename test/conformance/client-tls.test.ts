import { createPublicKey, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { authorizeAny, BundleSet, connectTls, createTlsServer, type X509Svid } from '@steeple/client';
import { TestTrustDomain } from '@steeple/client/testing';
import { generateKey, X509Svid as Svid, spkiOf } from '@steeple/spiffe';
import { beforeAll, expect, it } from 'vitest';

let a: TestTrustDomain;
let b: TestTrustDomain;
let c: TestTrustDomain;
beforeAll(async () => {
  [a, b, c] = await Promise.all([
    TestTrustDomain.create('a.test'),
    TestTrustDomain.create('b.test'),
    TestTrustDomain.create('c.test'),
  ]);
});

const sourceOf = (svid: X509Svid) => ({ x509Svid: () => svid });
const policy = () => ({
  bundles: BundleSet.of(a.bundle, b.bundle),
  authorize: authorizeAny(),
  now: () => Date.now() / 1000,
});

/** Whether client and server, presenting these SVIDs, come to speak. */
async function meet(client: X509Svid, serving: X509Svid): Promise<{ client: unknown; server: unknown }> {
  const served = Promise.withResolvers<unknown>();
  const listener = createTlsServer(
    { ...policy(), svid: sourceOf(serving), onRefused: (error) => served.resolve(error) },
    (socket, peer) => {
      served.resolve(peer?.id.toString());
      socket.end();
    },
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = listener.address() as AddressInfo;
    const connected = await connectTls({ host: '127.0.0.1', port }, { ...policy(), svid: sourceOf(client) }).catch(
      (error: unknown) => error,
    );
    if (connected instanceof Error) return { client: connected, server: undefined };
    const { socket, peer } = connected as Awaited<ReturnType<typeof connectTls>>;
    const server = await served.promise;
    socket.destroy();
    return { client: peer.id.toString(), server };
  } finally {
    listener.close();
  }
}

/** An SVID that names a.test and was issued by b.test: forged with b.test's own authority. */
async function impostor(): Promise<X509Svid> {
  const privateKey = generateKey('ec-p256');
  const moment = Date.now() / 1000;
  const leaf = await b.issuer.issueLeaf({
    id: a.id('/x'),
    spki: spkiOf(createPublicKey(privateKey)),
    notBefore: moment - 10,
    notAfter: moment + 600,
    serial: randomBytes(16),
  });
  return Svid.fromParts([leaf], privateKey, '');
}

it('[WAPI-17] judges peers by the bundle of their own trust domain, as TLS client and as TLS server', async () => {
  const own = await a.x509Svid('/own');
  const federated = await b.x509Svid('/x');
  expect(await meet(own, federated)).toEqual({ client: 'spiffe://b.test/x', server: 'spiffe://a.test/own' });
  for (const stranger of [await c.x509Svid('/x'), await impostor()]) {
    expect((await meet(own, stranger)).client).toMatchObject({ code: 'untrusted-peer' });
    expect((await meet(stranger, own)).server).toMatchObject({ code: 'untrusted-peer' });
  }
});
