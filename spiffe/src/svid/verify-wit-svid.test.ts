import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { TrustDomain } from '../id/trust-domain.ts';
import { type Jwk, publicJwk } from '../jwt/jwk.ts';
import { errorOf } from '../testing/error-of.ts';
import { type Forgery, forgeToken } from '../testing/forge-token.ts';
import { readVectors } from '../testing/read-vectors.ts';
import { TEST_KEYS, type TestKey } from '../testing/test-keys.ts';
import { TOKEN_BUNDLES } from '../testing/token-world.ts';
import { makeProofToken } from './make-proof-token.ts';
import type { CoveredTokens, WitProof } from './proof-token.ts';
import { verifyJwtSvid } from './verify-jwt-svid.ts';
import { verifyWitSvid } from './verify-wit-svid.ts';

type Case = Forgery & { name: string; rule: string; code: string; token?: string };
interface ConfirmationCase {
  name: string;
  rule: string;
  key?: TestKey;
  jwk?: Record<string, unknown>;
  drop?: string[];
  cnf?: Record<string, unknown>;
}
interface Vectors {
  now: number;
  valid: (Forgery & { name: string })[];
  invalid: Case[];
  confirmation: ConfirmationCase[];
  proof: Case[];
}
const vectors = readVectors('wit-svid.json') as Vectors;
const { now } = vectors;
const audience = 'https://y.test/api';
const jwkOf = (key: TestKey): Jwk => ({ ...publicJwk(TEST_KEYS[key].publicKey), alg: 'ES256' });
const goodWit = {
  header: { alg: 'ES256', kid: 'wit', typ: 'wit+jwt' },
  claims: { sub: 'spiffe://a.test/x', cnf: { jwk: jwkOf('workload') }, exp: now + 300, iat: now, nbf: now },
  key: 'wit',
} as const;
const forgeWit = (forgery: Forgery = {}): string => forgeToken(forgery, goodWit);
const wit = forgeWit();
const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

function forgeProof(forgery: Forgery = {}, token = wit): string {
  const claims = { aud: audience, exp: now + 60, jti: 'one', wth: hashOf(token) };
  return forgeToken(forgery, { header: { alg: 'ES256', typ: 'wpt+jwt' }, claims, key: 'workload' });
}

function verify(token: string, proof: Partial<WitProof> = {}) {
  const full = { token: forgeProof({}, token), audience, ...proof };
  return verifyWitSvid(token, TOKEN_BUNDLES, full, { now });
}

describe('verifyWitSvid', () => {
  it.each(vectors.valid)('accepts: $name', (vector) => {
    expect(verify(forgeWit(vector)).id.toString()).toBe('spiffe://a.test/x');
  });

  it.each(vectors.invalid)('refuses: $name ($rule)', (vector) => {
    const { code, rule } = errorOf(() => verify(vector.token ?? forgeWit(vector)));
    expect({ code, rule }).toEqual({ code: vector.code, rule: vector.rule });
  });

  it.each(vectors.confirmation)('refuses a confirmation with: $name ($rule)', ({ key, jwk, drop, cnf, rule }) => {
    const members = Object.entries({ ...jwkOf(key ?? 'workload'), ...jwk }).filter(([name]) => !drop?.includes(name));
    const claims = { cnf: { jwk: Object.fromEntries(members), ...cnf } };
    expect(errorOf(() => verify(forgeWit({ claims })))).toMatchObject({ code: 'invalid-token', rule });
  });

  it.each(vectors.proof)('refuses a proof with: $name ($rule)', (vector) => {
    const token = vector.token === 'wit' ? wit : (vector.token ?? forgeProof(vector));
    const { code, rule } = errorOf(() => verify(wit, { token }));
    expect({ code, rule }).toEqual({ code: vector.code, rule: vector.rule });
  });

  it('gives the key, the algorithm and the claims', () => {
    const svid = verify(wit);
    expect(svid.publicKey.equals(TEST_KEYS.workload.publicKey)).toBe(true);
    expect(svid).toMatchObject({ algorithm: 'ES256', token: wit, expiresAt: now + 300, issuedAt: now });
  });

  it('holds the proof to the algorithm in the confirmation, not only to its key', () => {
    const jwk = { ...publicJwk(TEST_KEYS.workloadRsa.publicKey), alg: 'PS256' };
    const token = forgeWit({ claims: { cnf: { jwk } } });
    const proofIn = (alg: string) => forgeProof({ header: { alg }, key: 'workloadRsa' }, token);
    expect(verify(token, { token: proofIn('PS256') }).algorithm).toBe('PS256');
    for (const alg of ['RS256', 'PS384'])
      expect(errorOf(() => verify(token, { token: proofIn(alg) })).rule).toBe('WIT-28');
  });

  it('accepts two fresh proofs of one WIT-SVID (WIT-15)', () => {
    const token = forgeWit({ claims: { jti: 'same' } });
    for (const jti of ['first', 'second']) {
      expect(verify(token, { token: forgeProof({ claims: { jti } }, token) }).token).toBe(token);
    }
  });

  it('can refuse a proof that was used before (WIT-39), and asks only about proofs that are right', () => {
    const seen = new Set<string>();
    const asked: number[] = [];
    const firstUse: WitProof['firstUse'] = ({ id, jti, expiresAt }) => {
      asked.push(expiresAt);
      const key = `${id.toString()} ${jti}`;
      return !seen.has(key) && seen.add(key).size > 0;
    };
    const proof = { token: forgeProof(), audience, firstUse };
    expect(errorOf(() => verify(wit, { ...proof, audience: 'https://other.test' })).rule).toBe('WIT-28');
    verify(wit, proof);
    expect(errorOf(() => verify(wit, proof)).rule).toBe('WIT-39');
    expect(asked).toEqual([now + 120, now + 120]);
  });

  it('holds tokens to a policy on their life (WIT-21)', () => {
    const check = (forgery: Forgery, maxLifetime: number) => {
      const token = forgeWit(forgery);
      verifyWitSvid(token, TOKEN_BUNDLES, { token: forgeProof({}, token), audience }, { now, maxLifetime });
    };
    expect(errorOf(() => check({ claims: { exp: now + 7200 } }, 3600)).rule).toBe('WIT-21');
    expect(errorOf(() => check({ claims: { exp: now + 7200 }, dropClaims: ['nbf'] }, 3600)).rule).toBe('WIT-21');
    check({}, 300);
  });

  it('refuses a leeway of more than two minutes (WIT-19)', () => {
    const proof = { token: forgeProof(), audience };
    expect(() => verifyWitSvid(wit, TOKEN_BUNDLES, proof, { now, leeway: 121 })).toThrow(RangeError);
  });

  it('never is a JWT-SVID (WIT-36)', () => {
    expect(errorOf(() => verifyJwtSvid(wit, TOKEN_BUNDLES, ['y'], { now })).rule).toBe('JWT-07');
    const disguised = forgeWit({ header: { typ: 'JWT' }, claims: { aud: 'y' } });
    expect(errorOf(() => verifyJwtSvid(disguised, TOKEN_BUNDLES, ['y'], { now })).rule).toBe('JWT-22');
  });

  it('never accepts a proof in which anything was changed', () => {
    const proof = forgeProof();
    fc.assert(
      fc.property(fc.nat(proof.length - 1), fc.string({ maxLength: 3 }), (at, replacement) => {
        const changed = proof.slice(0, at) + replacement + proof.slice(at + 1);
        fc.pre(changed !== proof);
        expect(errorOf(() => verify(wit, { token: changed })).code).toBe('invalid-proof');
      }),
      { numRuns: 1000 },
    );
  });

  it('verifies what jose signed', async () => {
    const jwk = { ...publicJwk(TEST_KEYS.workloadRsa.publicKey), alg: 'PS256' };
    const token = await new SignJWT({ sub: 'spiffe://a.test/x', cnf: { jwk } })
      .setProtectedHeader({ alg: 'ES256', kid: 'wit', typ: 'wit+jwt' })
      .setExpirationTime(now + 60)
      .sign(TEST_KEYS.wit.privateKey);
    const proof = await new SignJWT({ wth: hashOf(token), jti: 'one' })
      .setProtectedHeader({ alg: 'PS256', typ: 'wpt+jwt' })
      .setAudience(audience)
      .setExpirationTime(now + 60)
      .sign(TEST_KEYS.workloadRsa.privateKey);
    expect(verify(token, { token: proof }).algorithm).toBe('PS256');
  });
});

describe('a proof of a request with other tokens', () => {
  const covered: CoveredTokens = { accessToken: 'access', transactionToken: 'txn', others: { x: 'more', a: 'less' } };
  const prove = (tokens?: CoveredTokens) =>
    makeProofToken(wit, TEST_KEYS.workload.privateKey, {
      audience,
      now,
      jti: 'one',
      ...(tokens === undefined ? {} : { covered: tokens }),
    });

  it('covers exactly these', () => {
    const token = prove(covered);
    expect(verify(wit, { token, covered }).token).toBe(wit);
    expect(verify(wit, { token, covered: { ...covered, others: { a: 'less', x: 'more' } } }).token).toBe(wit);
    for (const other of [
      {},
      { ...covered, accessToken: 'other' },
      { ...covered, accessToken: undefined },
      { ...covered, transactionToken: undefined },
      { ...covered, others: {} },
      { ...covered, others: { x: 'more' } },
      { ...covered, others: { x: 'more', a: 'more' } },
    ]) {
      expect(errorOf(() => verify(wit, { token, covered: other })).rule).toBe('WIT-28');
    }
    expect(errorOf(() => verify(wit, { token: prove(), covered })).rule).toBe('WIT-28');
  });
});

it('knows no way to verify without a proof (WIT-27)', () => {
  const bearer = verifyWitSvid as unknown as (token: string, bundles: unknown, proof: unknown, o: unknown) => unknown;
  expect(() => bearer(wit, TOKEN_BUNDLES, undefined, { now })).toThrow();
  expect(errorOf(() => bearer(wit, TOKEN_BUNDLES, {}, { now })).code).toBe('invalid-proof');
  expect(TOKEN_BUNDLES.get(TrustDomain.parse('a.test'))?.witAuthority('wit')).toBeDefined();
});
