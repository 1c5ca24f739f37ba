import type { types } from '@steeple/proto/server-api';
import { idText } from '../spiffe-id-flag.ts';
import { differences } from './entry-difference.ts';
import { judgeEntry } from './judge-entry.ts';
import type { Side } from './read-side.ts';
import type { Step } from './step.ts';

type EntryStep = Step<types.Entry>;

/** Entries are the same one when they have the same entry ID; where only the content is the same, so is the identity. */
export const planEntries = (from: Side, to: Side, now: number): EntryStep[] => {
  const byId = new Map(to.entries.map((entry) => [entry.id, entry]));
  const bySubject = new Map(to.entries.map((entry) => [subjectOf(entry), entry]));
  const planned = new Set<string>();
  return from.entries.map((wanted) => {
    const step = planEntry(wanted, byId.get(wanted.id), bySubject.get(subjectOf(wanted)), from.trustDomain, now);
    if (step.action !== 'create') return step;
    // Two of the same content can only come about by an update there; here the second would be refused.
    const subject = subjectOf(wanted);
    if (planned.has(subject)) return duplicate(step, 'another entry of that server');
    planned.add(subject);
    return step;
  });
};

const planEntry = (
  wanted: types.Entry,
  same: types.Entry | undefined,
  alike: types.Entry | undefined,
  trustDomain: string,
  now: number,
): EntryStep => {
  const step = { name: `${idText(wanted.spiffeId)} (${wanted.id})`, wanted };
  if (wanted.expiresAt !== 0n && Number(wanted.expiresAt) <= now) return { ...step, action: 'keep', why: 'expired' };
  if (isTokenName(wanted)) return { ...step, action: 'keep', why: 'the name of a join token, which was used there' };
  const problem = judgeEntry(wanted, trustDomain);
  if (problem !== undefined) return { ...step, action: 'refuse', ...problem };
  if (same !== undefined) {
    const changes = differences(same, wanted);
    return changes.length === 0 ? { ...step, action: 'keep' } : { ...step, action: 'update', why: changes.join(', ') };
  }
  if (alike === undefined) return { ...step, action: 'create' };
  if (differences(alike, wanted).length === 0) return { ...step, action: 'keep', why: `here it is ${alike.id}` };
  return duplicate({ ...step, action: 'create' }, `entry ${alike.id} here`);
};

const duplicate = (step: EntryStep, other: string): EntryStep => ({
  ...step,
  action: 'refuse',
  why: `has the SPIFFE ID, parent and selectors of ${other}`,
  advice: 'delete one of the two, or change its selectors or parent, and migrate again',
});

/** What must be unique: who gets which identity from whom. */
export const subjectOf = ({ spiffeId, parentId, selectors }: types.Entry): string =>
  JSON.stringify([
    idText(spiffeId),
    idText(parentId),
    [...new Set(selectors.map(({ type, value }) => `${type}:${value}`))].toSorted(),
  ]);

/** An entry that `token generate -spiffeID` made for the agent that used the token. */
const isTokenName = ({ parentId, selectors }: types.Entry): boolean =>
  parentId?.path.startsWith('/spire/agent/join_token/') === true &&
  selectors.length === 1 &&
  selectors[0]?.type === 'spiffe_id' &&
  selectors[0].value === idText(parentId);
