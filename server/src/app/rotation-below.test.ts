import { IssuerError } from '@steeple/core';
import { checkValue } from '@steeple/daemon/config';
import { loadPlugin, type MintedCa } from '@steeple/plugins';
import {
  type Certificate,
  generateKey,
  localSigner,
  selfSignedCa,
  type TrustBundle,
  TrustDomain,
} from '@steeple/spiffe';
import { FakeClock, MemoryLogger } from '@steeple/test-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeAbove } from '../testing/fake-above.ts';
import { TRUST_DOMAIN } from '../testing/test-server.ts';
import { ActiveAuthorities } from './active-authorities.ts';
import { AuthorityBook } from './authority-book.ts';
import { AuthorityKeys } from './authority-keys.ts';
import { AuthorityRotation } from './authority-rotation.ts';
import { AuthorityTaints } from './authority-taints.ts';
import { Bundles } from './bundles.ts';
import { systemRandom } from './randomness.ts';
import { Serial } from './serial.ts';
import { Upstream } from './upstream.ts';

let clock: FakeClock;
let logger: MemoryLogger;
let above: FakeAbove;
let bundles: Bundles;
let rotation: AuthorityRotation;
/** The same stores in another run of the server. */
let again: () => AuthorityRotation;
let taints: AuthorityTaints;
let active: ActiveAuthorities;
let first: Certificate;
let upstream: Upstream;

/** A server's authorities below the fake; `start` is left to the test. */
beforeEach(async () => {
  clock = new FakeClock();
  logger = new MemoryLogger();
  above = new FakeAbove(clock);
  first = await above.renew();
  const host = { clock, logger, trustDomain: TRUST_DOMAIN };
  const [store, manager] = [await loadPlugin('datastore', 'memory'), await loadPlugin('key-manager', 'memory')];
  const datastore = await store.create(checkValue(store.schema, {}), host);
  bundles = new Bundles(TRUST_DOMAIN, datastore.bundles);
  datastore.watch((change) => bundles.apply(change));
  upstream = new Upstream(above, { ...host, random: systemRandom });
  const settings = {
    trustDomain: TRUST_DOMAIN,
    ttl: 86_400,
    subject: { organization: ['SPIFFE'] },
    keyTypes: { x509: 'ec-p256', jwt: 'ec-p256', wit: 'ec-p256' },
  } as const;
  const keys = await manager.create(checkValue(manager.schema, {}), host);
  const [book, serial] = [new AuthorityBook(datastore.authorities, bundles), new Serial()];
  taints = new AuthorityTaints(book, serial, true, logger);
  active = new ActiveAuthorities();
  again = () =>
    new AuthorityRotation({
      kinds: ['x509', 'jwt', 'wit'],
      keys: new AuthorityKeys(keys, systemRandom, settings, upstream),
      delivery: { lagging: async () => [], caughtUp: async () => [] },
      upstream,
      book,
      serial,
      taints,
      active,
      clock,
      logger,
    });
  rotation = again();
});

const follow = () => rotation.follow(above.trust);
const marks = (bundle: TrustBundle) => bundle.x509Authorities.map(({ tainted }) => tainted);
const signs = () => active.x509Root();
const activeKey = () => active.jwt().key.kid;

describe('below an authority above', () => {
  it('a root that is marked there is left first and marked then', async () => {
    await rotation.start();
    const second = await above.renew();
    await follow();
    expect(signs().equals(first)).toBe(true);
    above.marked.add(first);
    await follow();
    expect(signs().equals(second)).toBe(true);
    expect(marks(bundles.own())).toEqual([true, false]);
    expect(rotation.state('x509').old?.tainted).toBe(true);
    above.roots = [second];
    await follow();
    expect(bundles.own().x509Authorities).toHaveLength(1);
  });

  it('a root that was marked by hand stays until it is revoked by hand, where nothing is marked above', async () => {
    above.marks = false;
    await rotation.start();
    const second = await above.renew();
    above.roots = [second];
    await follow();
    expect(signs().equals(second)).toBe(true);
    await taints.taintUpstream(first.subjectKeyId ?? '');
    await follow();
    expect(marks(bundles.own())).toEqual([true, false]);
    await taints.revokeUpstream(first.subjectKeyId ?? '');
    await follow();
    expect(marks(bundles.own())).toEqual([false]);
  });

  it('the mark is held back while no other CA can be had', async () => {
    await rotation.start();
    const second = await above.renew();
    await follow();
    above.marked.add(first);
    above.failure = new IssuerError('unavailable', 'away');
    await expect(follow()).rejects.toThrow('away');
    expect(marks(bundles.own())).toEqual([false, false]);
    above.failure = undefined;
    await rotation.tick();
    expect(signs().equals(second)).toBe(true);
    expect(marks(bundles.own())).toEqual([true, false]);
  });

  it('the mark is held back while only CAs under the same root can be had', async () => {
    await rotation.start();
    above.marked.add(first);
    await follow();
    expect(marks(bundles.own())).toEqual([false]);
    const second = await above.renew();
    await follow();
    await rotation.tick();
    expect(signs().equals(second)).toBe(true);
    expect(marks(bundles.own())).toEqual([true, false]);
  });

  it('a server starts again while it is away, and goes on with what it has; it does not start with nothing', async () => {
    await rotation.start();
    await clock.advance(15 * 3600);
    above.failure = new IssuerError('unavailable', 'away');
    const second = again();
    await second.start();
    expect(signs().equals(first)).toBe(true);
    while (!logger.text.includes('Rotating the authorities failed')) await new Promise(setImmediate);
    above.failure = undefined;
    await second.tick();
    expect(second.state('x509').prepared).toBeDefined();
    await clock.advance(90 * 3600);
    above.failure = new IssuerError('unavailable', 'away');
    await expect(again().start()).rejects.toThrow('away');
  });

  it('a key that is gone there is replaced after a while, and not published again', async () => {
    await rotation.start();
    await follow();
    const lost = activeKey();
    above.keys.jwt = [];
    await follow();
    await clock.advance(10);
    await rotation.tick();
    expect(activeKey()).toBe(lost);
    await clock.advance(10);
    await rotation.tick();
    expect(activeKey()).not.toBe(lost);
    expect(above.keys.jwt.map(({ kid }) => kid)).toEqual([activeKey()]);
  });

  it('keys stay as they are where there is no place for them', async () => {
    above.takesKeys = false;
    await rotation.start();
    const before = [activeKey(), active.wit().key.kid];
    // It lists none, which is not the same as having lost them.
    for (let look = 0; look < 5; look++) {
      await clock.advance(10);
      await follow();
      await rotation.tick();
    }
    expect([activeKey(), active.wit().key.kid]).toEqual(before);
    expect(bundles.own().jwtAuthorities).toHaveLength(1);
    for await (const trust of upstream.watch(new AbortController().signal)) {
      expect([trust.jwt, trust.wit]).toEqual([undefined, undefined]);
      await rotation.follow(trust);
    }
    const { authorityId } = await rotation.prepare('jwt');
    await rotation.activate('jwt', authorityId, new AbortController().signal);
    await taints.taint('jwt', before[0] ?? '');
    await rotation.prepare('jwt');
    expect(bundles.own().jwtAuthority(before[0] ?? '')?.tainted).toBe(true);
  });

  it.each<[string, (minted: MintedCa) => Promise<MintedCa> | MintedCa]>([
    ['nothing', () => ({ chain: [], roots: [] })],
    ['no root', ({ chain }) => ({ chain, roots: [] })],
    ['the root itself', ({ roots }) => ({ chain: roots.map(({ certificate }) => certificate), roots })],
  ])('%s in place of a CA is refused, and nothing is stored', async (_what, spoil) => {
    above.spoil = spoil as never;
    await expect(rotation.start()).rejects.toThrow('X509 CA minted by upstream authority is invalid');
    expect(bundles.storedOwn()).toBeUndefined();
  });

  it('a CA of another trust domain is refused', async () => {
    const signer = localSigner(generateKey('ec-p256'));
    const elsewhere = TrustDomain.parse('elsewhere.test');
    const foreign = await selfSignedCa(signer, {
      trustDomain: elsewhere,
      subject: { organization: ['x'] },
      notBefore: clock.now() - 1,
      notAfter: clock.now() + 1000,
      serial: systemRandom(16),
    });
    above.spoil = () => ({ chain: [foreign], roots: [{ certificate: foreign, tainted: false }] });
    await expect(rotation.start()).rejects.toThrow('it has a foreign URI');
  });
});
