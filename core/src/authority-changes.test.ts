import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuthorityKind,
  type AuthoritySlots,
  activeAuthority,
  authorityState,
  freeSlot,
  type NewAuthority,
  NO_AUTHORITIES,
} from './authority.ts';
import {
  activateAuthority,
  prepareAuthority,
  pruneAuthorities,
  requireRevocable,
  taintAuthority,
} from './authority-changes.ts';
import { IssuerError } from './errors.ts';
import { requireOldUpstream, taintUnderUpstream } from './upstream-authority-changes.ts';

const own = { hasUpstream: false };
const upstream = { hasUpstream: true };
const KINDS = ['x509', 'jwt', 'wit'] as const;

const fresh = (authorityId: string, extra: Partial<NewAuthority> = {}): NewAuthority => ({
  authorityId,
  issuedAt: 0,
  notAfter: 1000,
  keyId: `key-${authorityId}`,
  publicKeySpki: new Uint8Array(),
  ...extra,
});

/** `b` active, `a` old. */
function rotated(kind: AuthorityKind = 'x509', extra: Partial<NewAuthority> = {}): AuthoritySlots {
  const first = activateAuthority(prepareAuthority(NO_AUTHORITIES, kind, fresh('a', extra)), kind, 'a');
  return activateAuthority(prepareAuthority(first, kind, fresh('b')), kind, 'b');
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof IssuerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'was accepted';
}

describe('the life of an authority', () => {
  it('goes from prepared to active to old, changing places', () => {
    const prepared = prepareAuthority(NO_AUTHORITIES, 'jwt', fresh('a'));
    expect(authorityState(prepared, 'jwt')).toMatchObject({
      prepared: { slot: 'A', authorityId: 'a', tainted: false },
    });
    const active = activateAuthority(prepared, 'jwt', 'a');
    expect(activeAuthority(active, 'jwt')).toMatchObject({ slot: 'A', status: 'active' });
    expect(freeSlot(active, 'jwt')).toBe('B');
    const state = authorityState(rotated('jwt'), 'jwt');
    expect(state).toMatchObject({ active: { slot: 'B', authorityId: 'b' }, old: { slot: 'A', authorityId: 'a' } });
    expect(state.prepared).toBeUndefined();
  });

  it('leaves other kinds alone', () => {
    expect(rotated('wit').x509).toEqual([]);
    expect(rotated('wit').jwt).toEqual([]);
  });

  it('gives the place of an old or prepared one to the next', () => {
    const again = prepareAuthority(rotated(), 'x509', fresh('c'));
    expect(authorityState(again, 'x509')).toMatchObject({
      active: { authorityId: 'b' },
      prepared: { authorityId: 'c' },
    });
    expect(authorityState(again, 'x509').old).toBeUndefined();
    const over = prepareAuthority(again, 'x509', fresh('d'));
    expect(authorityState(over, 'x509').prepared?.authorityId).toBe('d');
  });

  it('never has one id twice', () => {
    expect(refusal(() => prepareAuthority(rotated(), 'x509', fresh('b')))).toMatch(/^internal/);
    expect(refusal(() => prepareAuthority(rotated(), 'x509', fresh('a')))).toMatch(/^internal/);
  });

  it('changes nothing in place', () => {
    const slots = rotated();
    const copy = structuredClone(slots);
    taintAuthority(slots, 'x509', 'a', own);
    prepareAuthority(slots, 'x509', fresh('c'));
    pruneAuthorities(slots, 1e9);
    expect(slots).toEqual(copy);
  });
});

describe('activate', () => {
  it.each([
    ['', 'invalid-argument: no authority ID provided'],
    ['b', 'invalid-argument: unexpected authority ID'],
    ['zz', 'invalid-argument: unexpected authority ID'],
    ['a', 'internal: only Prepared authorities can be activated: unsupported local authority status: OLD'],
  ])('%j with an old one aside: %s', (id, message) => {
    expect(refusal(() => activateAuthority(rotated(), 'x509', id))).toBe(message);
  });

  it('needs something beside', () => {
    expect(refusal(() => activateAuthority(NO_AUTHORITIES, 'x509', 'a'))).toBe(
      'invalid-argument: unexpected authority ID',
    );
  });
});

describe('taint', () => {
  it.each(KINDS)('marks the old %s authority', (kind) => {
    const tainted = taintAuthority(rotated(kind), kind, 'a', own);
    expect(authorityState(tainted, kind)).toMatchObject({ active: { tainted: false }, old: { tainted: true } });
  });

  it.each([
    ['', 'invalid-argument: no authority ID provided'],
    ['b', 'invalid-argument: unable to taint current local authority'],
    ['zz', 'invalid-argument: unexpected authority ID'],
  ])('%j: %s', (id, message) => {
    for (const kind of KINDS) expect(refusal(() => taintAuthority(rotated(kind), kind, id, own))).toBe(message);
  });

  it('refuses a prepared one', () => {
    const slots = prepareAuthority(rotated(), 'x509', fresh('c'));
    expect(refusal(() => taintAuthority(slots, 'x509', 'c', own))).toBe(
      'invalid-argument: only Old local authorities can be tainted: unsupported local authority status: PREPARED',
    );
  });

  it('is not for X.509 authorities under an upstream', () => {
    expect(refusal(() => taintAuthority(rotated(), 'x509', 'a', upstream))).toBe(
      "failed-precondition: local authority can't be tainted if there is an upstream authority",
    );
    expect(taintAuthority(rotated('jwt'), 'jwt', 'a', upstream).jwt).toHaveLength(2);
  });
});

describe('revoke', () => {
  it.each(KINDS)(
    'is possible for an old %s authority, and for one that lost its slot but is still published',
    (kind) => {
      requireRevocable(rotated(kind), kind, 'a', own, true);
      requireRevocable(rotated(kind), kind, 'zz', own, true);
    },
  );

  it.each([
    ['x509', 'zz', 'invalid-argument: invalid authority ID: only Old local authority can be revoked'],
    ['jwt', 'zz', 'invalid-argument: invalid authority ID: no JWT authority found with provided authority ID'],
    ['wit', 'zz', 'invalid-argument: invalid authority ID: no WIT authority found with provided authority ID'],
    ['x509', 'b', 'invalid-argument: invalid authority ID: unable to use current authority'],
    ['jwt', '', 'invalid-argument: invalid authority ID: no authority ID provided'],
  ] as const)('%s %j: %s', (kind, id, message) => {
    expect(refusal(() => requireRevocable(rotated(kind), kind, id, own, false))).toBe(message);
  });

  it.each([
    ['x509', 'only Old local authority can be revoked'],
    ['jwt', 'unable to use a prepared key'],
    ['wit', 'unable to use a prepared key'],
  ] as const)('is not for a prepared %s authority: %s', (kind, message) => {
    const slots = prepareAuthority(rotated(kind), kind, fresh('c'));
    expect(refusal(() => requireRevocable(slots, kind, 'c', own, true))).toMatch(message);
  });

  it('is not for X.509 under an upstream', () => {
    expect(refusal(() => requireRevocable(rotated(), 'x509', 'a', upstream, true))).toMatch(/^failed-precondition/);
  });
});

describe('upstream authorities', () => {
  const slots = rotated('x509', { upstreamAuthorityId: 'up-1' });
  const judge =
    (changed: typeof slots, skid: string, context = upstream) =>
    () =>
      requireOldUpstream(changed, skid, context, 'no');

  it('may be tainted once they sign nothing but the old authority', () => {
    judge(slots, 'up-1')();
    const tainted = taintUnderUpstream(slots, ({ upstreamAuthorityId }) => upstreamAuthorityId === 'up-1');
    expect(authorityState(tainted, 'x509').old?.tainted).toBe(true);
    expect(authorityState(tainted, 'x509').active?.tainted).toBe(false);
  });

  it.each([
    ['up-1', own, 'failed-precondition: upstream authority is not configured'],
    ['', upstream, 'invalid-argument: no: no subject key ID provided'],
    ['up-2', upstream, "invalid-argument: no: upstream authority didn't sign the old local authority"],
  ])('%j: %s', (skid, context, message) => {
    expect(refusal(judge(slots, skid, context))).toBe(message);
  });

  it('are safe while they sign the active authority, or the one that is next', () => {
    const next = prepareAuthority(slots, 'x509', fresh('c', { upstreamAuthorityId: 'up-1' }));
    expect(refusal(judge(next, 'up-1'))).toMatch('only upstream authorities signing an old authority can be used');
    expect(refusal(judge(activateAuthority(next, 'x509', 'c'), 'up-1'))).toMatch(
      'unable to use upstream authority singing current authority',
    );
  });
});

describe('prune', () => {
  it('forgets what has expired but for the active one', () => {
    expect(pruneAuthorities(rotated(), 999)).toEqual(rotated());
    expect(pruneAuthorities(rotated(), 1000).x509).toMatchObject([{ authorityId: 'b', status: 'active' }]);
  });

  it('returns the same slots when nothing has expired', () => {
    const slots = rotated();
    expect(pruneAuthorities(slots, 0)).toBe(slots);
  });
});

describe('any sequence of changes', () => {
  it('keeps at most one slot of each place and role, and never loses the active one', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', '');
    const step = fc.record({ verb: fc.constantFrom('prepare', 'activate', 'taint', 'prune'), id, now: fc.nat(2000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let slots = NO_AUTHORITIES;
        for (const { verb, id, now } of steps) {
          const hadActive = activeAuthority(slots, 'x509') !== undefined;
          try {
            if (verb === 'prepare') slots = prepareAuthority(slots, 'x509', fresh(id));
            if (verb === 'activate') slots = activateAuthority(slots, 'x509', id);
            if (verb === 'taint') slots = taintAuthority(slots, 'x509', id, own);
            if (verb === 'prune') slots = pruneAuthorities(slots, now);
          } catch (error) {
            expect(error).toBeInstanceOf(IssuerError);
          }
          for (const what of ['slot', 'status', 'authorityId'] as const) {
            expect(new Set(slots.x509.map((slot) => slot[what])).size).toBe(slots.x509.length);
          }
          expect(slots.x509.length).toBeLessThanOrEqual(2);
          if (hadActive) expect(activeAuthority(slots, 'x509')?.tainted).toBe(false);
        }
      }),
    );
  });
});
