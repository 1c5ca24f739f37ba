import { create } from '@bufbuild/protobuf';
import { localauthorityV1 } from '@steeple/proto/server-api';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../exit.ts';
import type { Published } from './published.ts';
import { planRotation } from './rotation-plan.ts';

const named = (authorityId: string, upstreamAuthoritySubjectKeyId = '') =>
  create(localauthorityV1.AuthorityStateSchema, { authorityId, upstreamAuthoritySubjectKeyId });
const [active, prepared, old] = [named('now'), named('next'), named('was')];

/** The bundle as a list of what is in it; a mark means tainted. */
const bundle =
  (...ids: string[]) =>
  (id: string): Published =>
    ids.includes(id) ? 'trusted' : ids.includes(`${id}!`) ? 'tainted' : 'absent';
const steps = (state: Parameters<typeof planRotation>[1], wanted: string | undefined, ...ids: string[]) => {
  const plan = planRotation('jwt', state, wanted, bundle(...ids));
  return [plan.compromised, ...plan.steps].join(' ');
};
const advice = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return `${error.message}\n${error.advice}`;
    throw error;
  }
  return 'no refusal';
};

describe('the plan of a rotation', () => {
  it.each([
    ['nothing is begun', { active }, ['now']],
    ['an old one is revoked already', { active, old }, ['now']],
  ])('begins with the one that signs now when %s', (_when, state, ids) => {
    expect(steps(state, undefined, ...ids)).toBe('now prepare activate taint wait revoke');
  });

  it('goes on from every place where it can have been stopped', () => {
    expect(steps({ active, prepared }, 'now', 'now', 'next')).toBe('now activate taint wait revoke');
    expect(steps({ active, old }, 'was', 'now', 'was')).toBe('was taint wait revoke');
    expect(steps({ active, old }, 'was', 'now', 'was!')).toBe('was wait revoke');
    expect(steps({ active, old }, undefined, 'now', 'was!')).toBe('was wait revoke');
    expect(steps({ active, old }, 'was', 'now')).toBe('was');
  });

  it('takes keys that have no slot here', () => {
    expect(steps({ active }, 'below', 'now', 'below')).toBe('below taint wait revoke');
    expect(steps({ active }, 'below', 'now', 'below!')).toBe('below wait revoke');
  });

  it('asks which one is meant when two have signed and are trusted', () => {
    const words = advice(() => steps({ active, old }, undefined, 'now', 'was'));
    expect(words).toContain('--compromised now');
    expect(words).toContain('--compromised was');
  });

  it('begins no second one before the first is finished', () => {
    expect(advice(() => steps({ active, old }, 'now', 'now', 'was!'))).toContain('--compromised was');
  });

  it.each([
    ['next', 'has signed nothing yet'],
    ['nobody', 'knows no jwt authority nobody'],
  ])('refuses %s', (id, words) => {
    expect(advice(() => steps({ active, prepared }, id, 'now', 'next'))).toContain(words);
  });

  it('leaves what is signed above to those above', () => {
    const state = { active: named('now', 'root') };
    expect(advice(() => planRotation('x509', state, undefined, bundle('root')))).toContain('steeple upstream taint');
  });
});
