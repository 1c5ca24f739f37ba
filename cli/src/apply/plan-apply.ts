import { isOwnEntryId, ownedRelationships, ownershipRecordId } from '@steeple/core';
import type { types } from '@steeple/proto/server-api';
import { differences } from '../migrate/entry-difference.ts';
import { judgeEntry } from '../migrate/judge-entry.ts';
import type { Plan } from '../migrate/plan.ts';
import { subjectOf } from '../migrate/plan-entries.ts';
import { planRelationships } from '../migrate/plan-federation.ts';
import type { Side } from '../migrate/read-side.ts';
import type { Step } from '../migrate/step.ts';
import { idText } from '../spiffe-id-flag.ts';
import type { Objects } from './read-objects.ts';
import { wireEntry, wireRelationship } from './wire.ts';

type EntryStep = Step<types.Entry>;

/** What makes the server be as the files say. */
export interface ApplyPlan extends Plan {
  /** Entries that an earlier apply of the set made, and that no file speaks of any more. */
  readonly staleEntries: readonly types.Entry[];
  /** Relationships of the same kind, by trust domain. */
  readonly staleRelationships: readonly string[];
  /** Relationships that this set made, before. */
  readonly owned: ReadonlySet<string>;
}

/** Under which IDs the entries of a set are kept. */
export const prefixOf = (set: string): string => `apply-${set}`;

/** Compares the files with the server. Only what carries the set's prefix is ever changed or removed. */
export function planApply(objects: Objects, side: Side, set: string): ApplyPlan {
  const prefix = prefixOf(set);
  const own = side.entries.filter(({ id }) => isOwnEntryId(prefix, id));
  const entries = planSet(objects, side, own, prefix);
  const used = new Set(entries.map(({ wanted }) => wanted.id));
  const owned = ownedRelationships(side.entries.find(({ id }) => id === ownershipRecordId(prefix)));
  const wanted = new Map(objects.domains.map((one) => [one.relationship.trustDomain.name, wireRelationship(one)]));
  const relationships = planRelationships({ ...side, relationships: wanted }, side).map((step) =>
    step.action === 'update' && !owned.has(step.name) ? foreign(step) : ownDomain(step, side.trustDomain),
  );
  return {
    // A relationship that is new carries its bundle itself.
    bundles: relationships.flatMap(({ action, name, wanted: { trustDomainBundle } }) =>
      action === 'update' && trustDomainBundle ? [{ action, name, wanted: trustDomainBundle }] : [],
    ),
    relationships,
    entries,
    staleEntries: own.filter(({ id }) => !used.has(id)),
    staleRelationships: [...owned].filter((name) => !wanted.has(name)),
    owned,
  };
}

function planSet(objects: Objects, side: Side, own: readonly types.Entry[], prefix: string): EntryStep[] {
  const ownBySubject = new Map(own.map((entry) => [subjectOf(entry), entry]));
  const foreignBySubject = new Map(
    side.entries.filter((entry) => !own.includes(entry)).map((entry) => [subjectOf(entry), entry]),
  );
  const taken = new Set<string>();
  const planned = new Map<string, string>();
  // Those that are there already first, so that a new one does not take the ID of another.
  const sorted = objects.entries
    .map((object) => ({ object, same: ownBySubject.get(subjectOf(wireEntry(object.draft, ''))) }))
    .toSorted((a, b) => Number(b.same !== undefined) - Number(a.same !== undefined));
  return sorted.map(({ object, same }) => {
    const id = same?.id ?? freeId(`${prefix}.${idPart(object.name)}`, taken);
    taken.add(id);
    const wanted = wireEntry(object.draft, id);
    const subject = subjectOf(wanted);
    const twin = planned.get(subject);
    planned.set(subject, object.name);
    const step = { name: `${idText(wanted.spiffeId)} (${object.name})`, wanted };
    const problem = judgeEntry(wanted, side.trustDomain);
    if (problem !== undefined) return { ...step, action: 'refuse', ...problem };
    if (twin !== undefined) return duplicate(step, `the object ${twin}`);
    return planEntry(step, same ?? own.find((entry) => entry.id === id), foreignBySubject.get(subject));
  });
}

const planEntry = (
  step: { readonly name: string; readonly wanted: types.Entry },
  old: types.Entry | undefined,
  alike: types.Entry | undefined,
): EntryStep => {
  if (alike !== undefined) {
    if (differences(alike, step.wanted).length > 0) return duplicate(step, `entry ${alike.id}, which others made`);
    return { ...step, wanted: alike, action: 'keep', why: `it is entry ${alike.id}, which others made` };
  }
  if (old === undefined) return { ...step, action: 'create' };
  const changes = differences(old, step.wanted);
  return changes.length === 0 ? { ...step, action: 'keep' } : { ...step, action: 'update', why: changes.join(', ') };
};

const duplicate = (step: Pick<EntryStep, 'name' | 'wanted'>, other: string): EntryStep => ({
  ...step,
  action: 'refuse',
  why: `has the SPIFFE ID, parent and selectors of ${other}`,
  advice: 'delete one of the two, or change its selectors or parent',
});

const foreign = (step: Step<types.FederationRelationship>): Step<types.FederationRelationship> => ({
  ...step,
  action: 'refuse',
  why: `others made this relationship, and it differs: ${step.why}`,
  advice: `change it with \`steeple federation update ${step.name}\`, or delete it and apply again`,
});

const ownDomain = (step: Step<types.FederationRelationship>, own: string): Step<types.FederationRelationship> =>
  step.name === own
    ? { ...step, action: 'refuse', why: 'is the trust domain of this server', advice: 'remove the object' }
    : step;

/** A point parts prefix and name, so the name has none. */
const idPart = (name: string): string => name.replaceAll('.', '_');

const freeId = (id: string, taken: ReadonlySet<string>): string => {
  if (!taken.has(id)) return id;
  for (let number = 2; ; number += 1) if (!taken.has(`${id}-${number}`)) return `${id}-${number}`;
};
