import { IssuerError } from '@steeple/core';
import { describe, expect, it } from 'vitest';
import { begin, HOUR, named, never, newStores, outcome } from '../testing/authorities.ts';

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
});
