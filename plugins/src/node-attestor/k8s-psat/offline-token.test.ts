import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attest } from '../channel-for-tests.ts';
import { NOW, testCluster } from './cluster.fixture.ts';
import { PsatWorld } from './psat-world.fixture.ts';

const WITHOUT_API = { token_validation: 'jwks', pod_lookup: false };

let world: PsatWorld;
beforeAll(async () => {
  world = await PsatWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('k8s_psat offline', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['another issuer', { iss: 'https://other.cluster' }, 'another issuer'],
    ['no expiry', { exp: undefined }, 'does not say when it expires'],
    ['a beginning in an hour', { nbf: NOW + 3600 }, 'not valid yet'],
    ['two names', { sub: 'system:serviceaccount:spire:spire-agent2' }, 'differ'],
  ])('refuses %s', async (_name, claims, message) => {
    await expect(world.attest(world.cluster.token(claims), WITHOUT_API)).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining(message),
    });
  });

  it('refuses another cluster’s token, a made-up key and what is no token', async () => {
    await using other = await testCluster();
    const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    for (const token of [
      other.token(),
      world.cluster.token({}, 'key-2'),
      world.cluster.token({}, 'key-1', foreign),
      'no.to.ken',
    ]) {
      await expect(world.attest(token, WITHOUT_API)).rejects.toMatchObject({ code: 'permission-denied' });
    }
  });

  it('takes a new key of the cluster soon, and asks little for made-up ones', async () => {
    const verifier = await world.verifier(WITHOUT_API);
    const asked = () => world.cluster.asked.filter((path) => path === '/openid/v1/jwks').length;
    const before = asked();
    const next = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const token = world.cluster.token({}, 'key-9', next.privateKey);
    for (let time = 0; time < 5; time += 1) {
      await expect(attest(await world.prover(token), verifier)).rejects.toThrow('not signed by a key');
    }
    expect(asked()).toBe(before + 1);
    world.cluster.jwks.keys.push({ kid: 'key-9', ...next.publicKey.export({ format: 'jwk' }) });
    const attested = async () => (await attest(await world.prover(token), verifier)).canReattest;
    await world.clock.advance(10);
    expect(await attested()).toBe(true);
    // Withdrawn, it counts for five minutes at most; and without the keys nobody is believed.
    world.cluster.jwks.keys.pop();
    await world.clock.advance(299);
    expect(await attested()).toBe(true);
    await world.clock.advance(1);
    await expect(attested()).rejects.toThrow('not signed by a key');
    await world.answering('/openid/v1/jwks', 500, async () => {
      await world.clock.advance(20);
      await expect(attested()).rejects.toMatchObject({ code: 'internal' });
    });
  });
});
