import { randomBytes } from 'node:crypto';
import {
  generateKey,
  localSigner,
  selfSignedCa,
  type TokenAuthority,
  TrustBundle,
  TrustDomain,
  tokenAuthority,
  type X509Authority,
} from '@steeple/spiffe';
import { beforeAll, describe, expect, it } from 'vitest';
import { appendAuthorities, pruneBundle, revokeInBundle, taintInBundle } from './bundle-changes.ts';
import { IssuerError } from './errors.ts';

const td = TrustDomain.parse('example.org');
const DAY = 86_400;
const START = 1_700_000_000;

async function root(notAfter: number): Promise<X509Authority> {
  const certificate = await selfSignedCa(localSigner(generateKey('ec-p256')), {
    trustDomain: td,
    subject: { country: ['US'], organization: ['SPIFFE'], serialNumber: randomBytes(8).toString('hex') },
    notBefore: START,
    notAfter,
    serial: randomBytes(16),
  });
  return { certificate, tainted: false };
}

const key = (kid: string, expiresAt: number): TokenAuthority =>
  tokenAuthority(kid, localSigner(generateKey('ec-p256')).publicKey, { expiresAt });

let shortLived: X509Authority;
let longLived: X509Authority;
let bundle: TrustBundle;
const k1 = key('k1', START + 10);
const k2 = key('k2', 0);

beforeAll(async () => {
  [shortLived, longLived] = await Promise.all([root(START + 10), root(START + 100 * DAY)]);
  bundle = TrustBundle.of(td, {
    x509Authorities: [shortLived, longLived],
    jwtAuthorities: [k1, k2],
    witAuthorities: [k1, k2],
    sequence: 7n,
    refreshHint: 300,
  });
});

const skid = (authority: X509Authority) => authority.certificate.subjectKeyId ?? '';

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof IssuerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'was accepted';
}

describe('appendAuthorities', () => {
  it('adds what is new and counts the sequence up once', async () => {
    const added = await root(START + DAY);
    const next = appendAuthorities(bundle, { x509: [added, longLived], jwt: [key('k3', 0)], wit: [key('k4', 0)] });
    expect(next.x509Authorities).toEqual([shortLived, longLived, added]);
    expect(next.jwtAuthorities.map((k) => k.kid)).toEqual(['k1', 'k2', 'k3']);
    expect(next.witAuthorities.map((k) => k.kid)).toEqual(['k1', 'k2', 'k4']);
    expect([next.sequence, next.refreshHint]).toEqual([8n, 300]);
  });

  it('returns the same bundle when nothing is new', () => {
    expect(appendAuthorities(bundle, {})).toBe(bundle);
    expect(appendAuthorities(bundle, { x509: [longLived, longLived], jwt: [k1] })).toBe(bundle);
  });

  it('does not wash off a taint', () => {
    const tainted = taintInBundle(bundle, 'x509', skid(shortLived));
    expect(appendAuthorities(tainted, { x509: [shortLived], jwt: [k1] })).toBe(tainted);
  });

  it('refuses another key under a known id', () => {
    expect(refusal(() => appendAuthorities(bundle, { jwt: [key('k1', 0)] }))).toMatch(
      /^invalid-argument: unable to append/,
    );
  });
});

describe('pruneBundle', () => {
  it('removes what expired more than a day ago', () => {
    expect(pruneBundle(bundle, START + 10 + DAY)).toBe(bundle);
    const next = pruneBundle(bundle, START + 11 + DAY);
    expect(next.x509Authorities).toEqual([longLived]);
    expect(next.jwtAuthorities).toEqual([k2]);
    expect(next.witAuthorities).toEqual([k2]);
    expect(next.sequence).toBe(8n);
    expect(pruneBundle(next, START + 11 + DAY)).toBe(next);
  });

  it('never empties a list, and still prunes the others', () => {
    const next = pruneBundle(bundle, START + 1000 * DAY);
    expect(next.x509Authorities).toEqual([shortLived, longLived]);
    expect(next.jwtAuthorities).toEqual([k2]);
    const empty = TrustBundle.of(td);
    expect(pruneBundle(empty, START)).toBe(empty);
  });
});

describe('taint and revoke', () => {
  it('work for each kind, one after the other', () => {
    for (const [kind, id] of [
      ['x509', skid(shortLived)],
      ['jwt', 'k1'],
      ['wit', 'k1'],
    ] as const) {
      const tainted = taintInBundle(bundle, kind, id);
      const lists = [tainted.x509Authorities, tainted.jwtAuthorities, tainted.witAuthorities];
      expect(lists.flat().filter((authority) => authority.tainted)).toHaveLength(1);
      expect(tainted.sequence).toBe(8n);
      const revoked = revokeInBundle(tainted, kind, id);
      expect(revoked.sequence).toBe(9n);
      const left = [revoked.x509Authorities, revoked.jwtAuthorities, revoked.witAuthorities];
      expect(left.flat()).toHaveLength(5);
      expect(left.flat().some((authority) => authority.tainted)).toBe(false);
    }
  });

  it('tell what is missing, tainted already or not yet', () => {
    const x509 = taintInBundle(bundle, 'x509', skid(shortLived));
    const jwt = taintInBundle(bundle, 'jwt', 'k1');
    expect([
      refusal(() => taintInBundle(bundle, 'x509', 'ab')),
      refusal(() => revokeInBundle(bundle, 'jwt', 'zz')),
      refusal(() => revokeInBundle(bundle, 'x509', skid(shortLived))),
      refusal(() => revokeInBundle(bundle, 'jwt', 'k1')),
      refusal(() => taintInBundle(x509, 'x509', skid(shortLived))),
      refusal(() => taintInBundle(jwt, 'jwt', 'k1')),
    ]).toEqual([
      'internal: no ca found with provided subject key ID',
      'internal: no JWT Key found with provided key ID',
      'internal: it is not possible to revoke an untainted root CA',
      'internal: it is not possible to revoke an untainted key',
      'internal: root CA is already tainted',
      'internal: key is already tainted',
    ]);
  });

  it('do not mistake an empty id for a certificate without key id', () => {
    expect(refusal(() => taintInBundle(bundle, 'x509', ''))).toMatch(/^internal: no ca found/);
  });
});
