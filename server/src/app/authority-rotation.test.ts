import { generateKeyPairSync } from 'node:crypto';
import { type AuthorityState, IssuerError } from '@steeple/core';
import { checkValue } from '@steeple/daemon/config';
import { type Datastore, type KeyManager, loadPlugin } from '@steeple/plugins';
import { SpiffeId, spkiOf, TrustDomain, verifyJwtSvid, verifyX509Svid } from '@steeple/spiffe';
import { FakeClock, MemoryLogger } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { ActiveAuthorities } from './active-authorities.ts';
import { AuthorityBook } from './authority-book.ts';
import { AuthorityKeys } from './authority-keys.ts';
import { AuthorityRotation } from './authority-rotation.ts';
import { AuthorityTaints } from './authority-taints.ts';
import { BundleDelivery } from './bundle-delivery.ts';
import { Bundles } from './bundles.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { systemRandom } from './randomness.ts';
import { Serial } from './serial.ts';

const TD = TrustDomain.parse('example.org');
const HOUR = 3600;
const never = new AbortController().signal;
const spki = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);

interface Stores {
  readonly clock: FakeClock;
  readonly datastore: Datastore;
  readonly keys: KeyManager;
}

const newStores = async (): Promise<Stores> => {
  const clock = new FakeClock();
  const host = { clock, logger: new MemoryLogger(), trustDomain: TD };
  const [store, manager] = [await loadPlugin('datastore', 'memory'), await loadPlugin('key-manager', 'memory')];
  return {
    clock,
    datastore: await store.create(checkValue(store.schema, {}), host),
    keys: await manager.create(checkValue(manager.schema, {}), host),
  };
};

/** One run of a server's authorities over the stores. */
const begin = async ({ clock, datastore, keys }: Stores) => {
  const bundles = new Bundles(TD, datastore.bundles);
  datastore.watch((change) => bundles.apply(change));
  await bundles.load();
  const active = new ActiveAuthorities();
  const logger = new MemoryLogger();
  const [book, serial] = [new AuthorityBook(datastore.authorities, bundles), new Serial()];
  const taints = new AuthorityTaints(book, serial, false, logger);
  const delivery = new BundleDelivery(datastore.agents, clock);
  const rotation = new AuthorityRotation({
    kinds: ['x509', 'jwt', 'wit'],
    book,
    serial,
    taints,
    delivery,
    upstream: undefined,
    keys: new AuthorityKeys(keys, systemRandom, {
      trustDomain: TD,
      ttl: 24 * HOUR,
      subject: { country: ['US'], organization: ['SPIFFE'] },
      keyTypes: { x509: 'ec-p256', jwt: 'ec-p256', wit: 'ec-p256' },
    }),
    active,
    clock,
    logger,
  });
  await rotation.start();
  // What it left for after the start is done too.
  await rotation.tick();
  const settings = { x509SvidTtl: HOUR, jwtSvidTtl: 300, witSvidTtl: HOUR, jwtIssuer: undefined, witIssuer: undefined };
  const ca = new CertificateAuthority(active, bundles, clock, systemRandom, settings);
  const sign = async () => {
    const id = SpiffeId.parse('spiffe://example.org/w');
    const { chain } = await ca.signX509({ id, spki });
    const { token } = await ca.signJwt({ id, audience: ['a'] });
    const check = () => {
      verifyX509Svid(chain, bundles, { now: clock.now() });
      verifyJwtSvid(token, bundles, ['a'], { now: clock.now() });
    };
    check();
    return check;
  };
  return { rotation, taints, delivery, logger, bundles, sign };
};

const named = ({ active, prepared, old }: AuthorityState) =>
  [active, prepared, old].map((slot) => slot && [slot.slot, slot.status, slot.authorityId, slot.notAfter]);

const outcome = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.catch((error: unknown) => error);
  if (!(error instanceof IssuerError)) throw new Error(`expected a refusal, got ${String(error)}`);
  return `${error.code}: ${error.message}`;
};

describe('AuthorityRotation', () => {
  it('can sign from the start, publishes each kind once, and tells its state', async () => {
    const { rotation, bundles, sign } = await begin(await newStores());
    await sign();
    const { x509Authorities, jwtAuthorities, witAuthorities } = bundles.own();
    expect([x509Authorities.length, jwtAuthorities.length, witAuthorities.length]).toEqual([1, 1, 1]);
    const { active, prepared, old } = rotation.state('x509');
    expect([active?.slot, prepared, old]).toEqual(['A', undefined, undefined]);
    expect(active?.authorityId).toBe(x509Authorities[0]?.certificate.subjectKeyId);
  });

  it('prepares at half life, activates with a sixth left, and never breaks what it signed', async () => {
    const stores = await newStores();
    const { rotation, sign } = await begin(stores);
    const first = rotation.state('x509').active?.authorityId;
    await stores.clock.advance(12 * HOUR - 10);
    await rotation.tick();
    expect(rotation.state('x509').prepared).toBeUndefined();
    await stores.clock.advance(10);
    await rotation.tick();
    const { active, prepared } = rotation.state('x509');
    expect([active?.authorityId, prepared?.slot]).toEqual([first, 'B']);
    await stores.clock.advance(8 * HOUR - 60);
    const checkOld = await sign();
    await stores.clock.advance(60);
    await rotation.tick();
    const state = rotation.state('x509');
    expect([state.active?.authorityId, state.old?.authorityId]).toEqual([prepared?.authorityId, first]);
    checkOld();
    await sign();
  });

  it('goes on with the same authorities after a restart, prepared ones included', async () => {
    const stores = await newStores();
    const before = await begin(stores);
    await before.rotation.prepare('jwt');
    const after = await begin(stores);
    for (const kind of ['x509', 'jwt', 'wit'] as const) {
      expect(named(after.rotation.state(kind))).toEqual(named(before.rotation.state(kind)));
    }
    expect(after.bundles.own().equals(before.bundles.own())).toBe(true);
    await after.sign();
  });

  it('comes back after an absence longer than any authority lives', async () => {
    const stores = await newStores();
    const before = await begin(stores);
    await stores.clock.advance(90 * HOUR);
    const after = await begin(stores);
    await after.sign();
    expect(after.rotation.state('x509').active?.authorityId).not.toBe(
      before.rotation.state('x509').active?.authorityId,
    );
  });

  it('recovers from a slot without its key, and from a key without its slot', async () => {
    for (const name of ['x509-CA-A', 'JWT-Signer-A', 'WIT-Signer-A', 'x509-CA-B']) {
      const stores = await newStores();
      const before = await begin(stores);
      await before.rotation.prepare('x509');
      const check = await before.sign();
      // A crash after the key was replaced and before the journal said so.
      await stores.keys.generate(name, 'ec-p256');
      const after = await begin(stores);
      await after.sign();
      check();
      await stores.keys.remove(name);
      await (await begin(stores)).sign();
    }
  });

  it('does not activate a prepared authority whose key was lost meanwhile', async () => {
    const stores = await newStores();
    const { rotation, sign } = await begin(stores);
    const { authorityId } = await rotation.prepare('x509');
    await stores.keys.generate('x509-CA-B', 'ec-p256');
    expect(await outcome(rotation.activate('x509', authorityId, never))).toBe(
      'internal: the key of the prepared authority is gone',
    );
    await sign();
    await stores.clock.advance(21 * HOUR);
    await rotation.tick();
    await sign();
  });

  it('leaves everything as it was when the journal cannot be written', async () => {
    const stores = await newStores();
    const { rotation, bundles, sign } = await begin(stores);
    const before = bundles.own();
    const { authorities } = stores.datastore;
    const save = authorities.save.bind(authorities);
    authorities.save = async () => {
      throw new IssuerError('internal', 'disk full');
    };
    expect(await outcome(rotation.prepare('x509'))).toBe('internal: disk full');
    expect(rotation.state('x509').prepared).toBeUndefined();
    expect(bundles.own().equals(before)).toBe(true);
    authorities.save = save;
    await sign();
    await rotation.prepare('x509');
  });

  it('is steered by hand as SPIRE is', async () => {
    const { rotation, taints, bundles, sign } = await begin(await newStores());
    const first = rotation.state('jwt').active?.authorityId ?? '';
    const { authorityId: second } = await rotation.prepare('jwt');
    expect(await outcome(rotation.activate('jwt', '', never))).toBe('invalid-argument: no authority ID provided');
    expect(await outcome(rotation.activate('jwt', first, never))).toBe('invalid-argument: unexpected authority ID');
    expect(await outcome(taints.taint('jwt', first))).toBe('invalid-argument: unable to taint current local authority');
    await rotation.activate('jwt', second, never);
    expect(await outcome(taints.revoke('jwt', first))).toBe(
      'internal: failed to revoke JWT authority: it is not possible to revoke an untainted key',
    );
    await taints.taint('jwt', first);
    expect(await outcome(taints.taint('jwt', first))).toBe(
      'internal: failed to taint JWT authority: key is already tainted',
    );
    expect(bundles.own().jwtAuthority(first)?.tainted).toBe(true);
    await taints.revoke('jwt', first);
    expect(await outcome(taints.revoke('jwt', first))).toBe(
      'internal: failed to revoke JWT authority: no JWT Key found with provided key ID',
    );
    expect(bundles.own().jwtAuthority(first)).toBeUndefined();
    expect(rotation.state('jwt').old?.authorityId).toBe(first);
    await sign();
  });

  it('can taint and revoke what lost its slot to a second prepare', async () => {
    const { rotation, taints, bundles } = await begin(await newStores());
    const { authorityId: lost } = await rotation.prepare('x509');
    await rotation.prepare('x509');
    await taints.taint('x509', lost);
    await taints.revoke('x509', lost);
    expect(bundles.own().x509Authorities.some(({ certificate }) => certificate.subjectKeyId === lost)).toBe(false);
    expect(await outcome(taints.taint('x509', lost))).toBe('invalid-argument: unexpected authority ID');
  });

  it('waits with a new authority until every live agent has had it, by hand and by the clock', async () => {
    const stores = await newStores();
    const { rotation, delivery, bundles } = await begin(stores);
    delivery.sent('spiffe://example.org/spire/agent/a', bundles.own().sequence);
    const { authorityId } = await rotation.prepare('x509');
    const activating = rotation.activate('x509', authorityId, never);
    await stores.clock.advance(5);
    expect(rotation.state('x509').prepared?.authorityId).toBe(authorityId);
    delivery.sent('spiffe://example.org/spire/agent/a', bundles.own().sequence);
    await stores.clock.advance(1);
    await activating;
    expect(rotation.state('x509').active?.authorityId).toBe(authorityId);

    await stores.clock.advance(12 * HOUR);
    const stop = delivery.listens('spiffe://example.org/spire/agent/deaf');
    await rotation.tick();
    await stores.clock.advance(8 * HOUR);
    await rotation.tick();
    expect(rotation.state('x509').active?.authorityId).toBe(authorityId);
    await stores.clock.advance(2 * HOUR);
    await rotation.tick();
    expect(rotation.state('x509').old?.authorityId).toBe(authorityId);
    stop();
  });

  it('waits for no dead agent, and for a deaf one not for ever', async () => {
    const stores = await newStores();
    const { rotation, delivery, logger } = await begin(stores);
    delivery.sent('spiffe://example.org/spire/agent/dead', 0n);
    await stores.clock.advance(31);
    await rotation.activate('jwt', (await rotation.prepare('jwt')).authorityId, never);
    delivery.listens('spiffe://example.org/spire/agent/deaf');
    const activating = rotation.activate('wit', (await rotation.prepare('wit')).authorityId, never);
    let isOver = false;
    void activating.then(() => (isOver = true));
    while (!isOver) await stores.clock.advance(1);
    await activating;
    expect(logger.text).toContain('spire/agent/deaf');
  });

  it('activates nothing for a caller that left', async () => {
    const stores = await newStores();
    const { rotation, delivery } = await begin(stores);
    delivery.listens('spiffe://example.org/spire/agent/deaf');
    const { authorityId } = await rotation.prepare('x509');
    const gone = new AbortController();
    const activating = rotation.activate('x509', authorityId, gone.signal);
    const failed = expect(activating).rejects.toThrow();
    await stores.clock.advance(1);
    gone.abort();
    await failed;
    expect(rotation.state('x509').prepared?.authorityId).toBe(authorityId);
  });
});
