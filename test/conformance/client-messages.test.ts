import { FakeWorkloadApi, jwtResponse, type Wire, witResponse, x509Response } from '@steeple/client/testing';
import { pkcs8Of } from '@steeple/spiffe';
import { expect, it } from 'vitest';
import { clientWorld, failureOf, nextEvent } from './client-world.ts';

const world = clientWorld();
type X509 = Wire<'fetchX509SVID'>;
type X509Svid = NonNullable<X509['svids']>[number];

const EMPTY = new Uint8Array();
const brokenX509: [string, (good: X509Svid) => X509][] = [
  ['no SVID', () => ({ svids: [] })],
  ['an empty spiffe_id', (good) => ({ svids: [{ ...good, spiffeId: '' }] })],
  ['an empty x509_svid', (good) => ({ svids: [{ ...good, x509Svid: EMPTY }] })],
  ['an empty x509_svid_key', (good) => ({ svids: [{ ...good, x509SvidKey: EMPTY }] })],
  ['an empty bundle', (good) => ({ svids: [{ ...good, bundle: EMPTY }] })],
  ['one whole and one broken SVID', (good) => ({ svids: [good, { ...good, bundle: EMPTY }] })],
];

async function goodX509(): Promise<{ message: X509; svid: X509Svid }> {
  const message = x509Response([await world.a.x509Svid('/x')], [world.a.bundle]);
  const [svid] = message.svids ?? [];
  if (svid === undefined) throw new Error('the kit made no SVID');
  return { message, svid };
}

async function expectDropped(message: X509): Promise<void> {
  const good = await goodX509();
  world.api.x509.publish(good.message);
  const events = world.client.watchX509Context()[Symbol.asyncIterator]();
  await nextEvent(events, 'update');
  world.api.x509.publish(message);
  // An error and not an update: the state before stands.
  expect((await events.next()).value).toMatchObject({ kind: 'error', error: { code: 'invalid-response' } });
  await events.return?.();
}

it.each(brokenX509)('[WAPI-16] drops an X509SVIDResponse with %s as a whole', async (_name, spoil) => {
  await expectDropped(spoil((await goodX509()).svid));
});

it('[WAPI-16] refuses JWT, WIT and bundle responses with empty mandatory fields', async () => {
  const { a, api, client } = world;
  const limit = { timeout: 10 };
  const refused = { code: 'invalid-response' };
  const [jwt] = jwtResponse([await a.jwtSvid('/x', ['y'])]).svids ?? [];
  for (const svids of [[], [{ ...jwt, svid: '' }], [{ ...jwt, spiffeId: '' }]]) {
    api.answerJwt = async () => ({ svids });
    expect(await failureOf(client.fetchJwtSvids({ audience: ['y'] }, limit))).toMatchObject(refused);
  }
  const [wit] = witResponse([await a.witSvid('/x')]).svids ?? [];
  for (const svids of [[], [{ ...wit, spiffeId: '' }], [{ ...wit, witSvid: '' }], [{ ...wit, witSvidKey: '' }]]) {
    api.wit.publish({ svids });
    expect(await failureOf(client.fetchWitSvids(undefined, limit))).toMatchObject(refused);
  }
  for (const topic of [api.x509Bundles, api.jwtBundles, api.witBundles] as FakeWorkloadApi['x509Bundles'][])
    topic.publish({ bundles: {} });
  expect(await failureOf(client.fetchX509Bundles(limit))).toMatchObject(refused);
  expect(await failureOf(client.fetchJwtBundles(limit))).toMatchObject(refused);
  expect(await failureOf(client.fetchWitBundles(limit))).toMatchObject(refused);
  for (const claims of [{}, undefined]) {
    api.answerValidate = async () => ({ spiffeId: 'spiffe://a.test/x', ...(claims === undefined ? {} : { claims }) });
    expect(await failureOf(client.validateJwtSvid('t', 'y', limit))).toMatchObject(refused);
  }
});

it('[WAPI-H1] drops a message whose parts do not belong together, or with an expired SVID', async () => {
  const { svid } = await goodX509();
  const other = await world.a.x509Svid('/other');
  const expired = x509Response([await world.a.x509Svid('/x', { ttl: -60 })], [world.a.bundle]);
  await expectDropped({ svids: [{ ...svid, spiffeId: 'spiffe://a.test/other' }] });
  await expectDropped({ svids: [{ ...svid, x509SvidKey: new Uint8Array(pkcs8Of(other.privateKey)) }] });
  await expectDropped(expired);
});

it.each(['spiffe://b.test/x', 'b.test', 'spiffe://b.test/', 'spiffe://B.test'])(
  '[WAPI-H4] drops a message with the bundle key %s',
  async (key) => {
    const { svid } = await goodX509();
    await expectDropped({ svids: [svid], federatedBundles: { [key]: svid.bundle ?? EMPTY } });
  },
);
