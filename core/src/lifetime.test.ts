import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  effectiveTtl,
  longestUncutTtl,
  rotateAt,
  rotateForAvailability,
  shouldActivate,
  shouldPrepare,
  svidValidity,
  tokenValidity,
} from './lifetime.ts';

const DAY = 86_400;

describe('rotateAt', () => {
  it('is half of the life, give or take a tenth', () => {
    expect(rotateAt(1000, 4600, 0.5)).toBe(2800);
    expect(rotateAt(1000, 4600, 0)).toBe(1000 + 1800 * 0.9);
    expect(rotateAt(1000, 4600, 1)).toBeCloseTo(1000 + 1800 * 1.1);
  });

  it('lies well inside the life', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 1e9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (start, life, r) => {
          const at = rotateAt(start, start + life, r);
          expect(at).toBeGreaterThan(start);
          expect(at).toBeLessThan(start + life);
        },
      ),
    );
  });
});

describe('rotateForAvailability', () => {
  it('keeps the target in reserve when that leaves half a day', () => {
    const validity = { notBefore: 0, notAfter: 2 * DAY };
    expect(rotateForAvailability(validity, DAY, 0)).toBe(DAY);
    expect(rotateForAvailability(validity, DAY, 0.5)).toBe(DAY - 300);
  });

  it('falls back to half life otherwise', () => {
    expect(rotateForAvailability({ notBefore: 0, notAfter: 1.4 * DAY }, DAY, 0.5)).toBeCloseTo(0.7 * DAY);
  });
});

describe('authorities', () => {
  const day = { issuedAt: 0, notAfter: DAY };
  const years = { issuedAt: 0, notAfter: 3650 * DAY };

  it.each([
    [day, DAY / 2 - 1, false],
    [day, DAY / 2, true],
    [day, 2 * DAY, true],
    [years, 3620 * DAY - 1, false],
    [years, 3620 * DAY, true],
  ])('prepare: %j at %d is %s', (active, now, due) => {
    expect(shouldPrepare(active, now)).toBe(due);
  });

  it.each([
    [day, (DAY * 5) / 6 - 1, false],
    [day, (DAY * 5) / 6, true],
    [years, 3643 * DAY - 1, false],
    [years, 3643 * DAY, true],
  ])('activate: %j at %d is %s', (active, now, due) => {
    expect(shouldActivate(active, now)).toBe(due);
  });

  it('never take over before they are prepared', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 1e9 }), fc.nat(2e9), (issuedAt, life, now) => {
        const authority = { issuedAt, notAfter: issuedAt + life };
        if (shouldActivate(authority, now)) expect(shouldPrepare(authority, now)).toBe(true);
      }),
    );
  });

  it('leave room for an SVID issued at the last moment', () => {
    expect(longestUncutTtl(DAY)).toBe(4 * 3600);
    expect(longestUncutTtl(3650 * DAY)).toBe(7 * DAY);
    const lastMoment = DAY - longestUncutTtl(DAY);
    expect(svidValidity(lastMoment, longestUncutTtl(DAY), DAY).notAfter).toBe(DAY);
  });
});

describe('validity', () => {
  it('is backdated and whole', () => {
    expect(svidValidity(1000.9, 3600, 1e9)).toEqual({ notBefore: 990, notAfter: 4600 });
    expect(tokenValidity(1000.9, 300, 1e9)).toEqual({ issuedAt: 1000, expiresAt: 1300 });
  });

  it('never outlives the issuer', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 4e9, noNaN: true }),
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.double({ min: 0, max: 5e9, noNaN: true }),
        (now, ttl, issuerNotAfter) => {
          fc.pre(issuerNotAfter >= Math.floor(now) + 1);
          const { notBefore, notAfter } = svidValidity(now, ttl, issuerNotAfter);
          expect(notAfter).toBeLessThanOrEqual(issuerNotAfter);
          expect(notAfter).toBeLessThanOrEqual(now + ttl);
          expect(notBefore).toBeLessThan(now);
          expect(Number.isInteger(notBefore) && Number.isInteger(notAfter)).toBe(true);
        },
      ),
    );
  });

  it.each([1000, 999, 0, Number.NaN])('is refused when the issuer ended at %d', (issuerNotAfter) => {
    expect(() => svidValidity(1000.5, 60, issuerNotAfter)).toThrow('signing authority has expired');
  });

  it.each([0, -1, 0.5, Number.NaN])('is refused for a lifetime of %d', (ttl) => {
    expect(() => tokenValidity(1000, ttl, 2000)).toThrow('at least one second');
  });

  it('takes the default for an entry without its own lifetime', () => {
    expect([effectiveTtl(0, 3600), effectiveTtl(60, 3600)]).toEqual([3600, 60]);
  });
});
