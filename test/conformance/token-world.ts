// Keys, bundles and good tokens that the token tests break in one place at a time. a.test is our own trust domain, b.test a
// federated one, c.test unknown; x509.test has no token keys.
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { BundleSet, publicJwk, TrustBundle, TrustDomain, tokenAuthority } from '@steeple/spiffe';
import { forgeToken, type TokenSignature } from '@steeple/test-kit';

export const NOW = 1_900_000_000;

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
export const KEYS = {
  p256: ec('P-256'),
  p384: ec('P-384'),
  p521: ec('P-521'),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  wit: ec('P-256'),
  workload: ec('P-256'),
  stranger: ec('P-256'),
  otherDomain: ec('P-256'),
} as const;

const authority = (kid: string, key: KeyObject) => tokenAuthority(kid, createPublicKey(key));

/** The key id `p256` names a JWT key in both a.test and b.test, and another key in each. */
export const BUNDLES = BundleSet.of(
  TrustBundle.of(TrustDomain.parse('a.test'), {
    jwtAuthorities: (['p256', 'p384', 'p521', 'rsa'] as const).map((name) => authority(name, KEYS[name])),
    witAuthorities: [authority('AbC', KEYS.wit), authority('a /ü', KEYS.wit)],
  }),
  TrustBundle.of(TrustDomain.parse('b.test'), {
    jwtAuthorities: [authority('p256', KEYS.otherDomain)],
    witAuthorities: [authority('AbC', KEYS.otherDomain)],
  }),
  TrustBundle.of(TrustDomain.parse('x509.test')),
);

/** Members to lay over the good ones; `undefined` takes one out. */
export interface Changes {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly sign?: TokenSignature;
}

const DIGESTS: Readonly<Record<string, 'sha256' | 'sha384' | 'sha512'>> = {
  256: 'sha256',
  384: 'sha384',
  512: 'sha512',
} as never;

/** How a key signs under the name of an algorithm. */
export function signatureFor(alg: unknown, key: KeyObject): TokenSignature {
  const name = String(alg);
  return { key, digest: DIGESTS[name.slice(2)] ?? 'sha256', pss: name.startsWith('PS') };
}

export function jwt(changes: Changes = {}, key: KeyObject = KEYS.p256): string {
  const header = { alg: 'ES256', kid: 'p256', typ: 'JWT', ...changes.header };
  const claims = { sub: 'spiffe://a.test/x', aud: ['y'], exp: NOW + 300, iat: NOW, ...changes.claims };
  return forgeToken(header, claims, changes.sign ?? signatureFor(header.alg, key));
}

export const confirmationKey = { ...publicJwk(createPublicKey(KEYS.workload)), alg: 'ES256' };

export function wit(changes: Changes = {}, key: KeyObject = KEYS.wit): string {
  const header = { alg: 'ES256', kid: 'AbC', typ: 'wit+jwt', ...changes.header };
  const claims = {
    sub: 'spiffe://a.test/x',
    cnf: { jwk: confirmationKey },
    exp: NOW + 300,
    iat: NOW,
    ...changes.claims,
  };
  return forgeToken(header, claims, changes.sign ?? signatureFor(header.alg, key));
}

export const PROOF_AUDIENCE = 'https://y.test/api';

/** A proof of possession for a WIT-SVID (WIMSE Workload Proof Token). */
export function proof(token: string, changes: Changes = {}, key: KeyObject = KEYS.workload): string {
  const header = { alg: 'ES256', typ: 'wpt+jwt', ...changes.header };
  const wth = createHash('sha256').update(token).digest('base64url');
  const claims = { aud: PROOF_AUDIENCE, exp: NOW + 60, jti: 'one', wth, ...changes.claims };
  return forgeToken(header, claims, changes.sign ?? signatureFor(header.alg, key));
}
