import type { types } from '@steeple/proto/server-api';
import { planEntries } from './plan-entries.ts';
import { planBundles, planRelationships } from './plan-federation.ts';
import type { Side } from './read-side.ts';

/** One thing that the other server has, and what is to be done about it here. */
export interface Step<T> {
  readonly name: string;
  readonly wanted: T;
  readonly action: 'create' | 'update' | 'keep' | 'refuse';
  /** For an update: what changes. For a refusal: what is wrong. For something kept: why it is. */
  readonly why?: string;
  /** For a refusal: what the user can do. */
  readonly advice?: string;
}

export interface Plan {
  readonly bundles: readonly Step<types.Bundle>[];
  readonly relationships: readonly Step<types.FederationRelationship>[];
  readonly entries: readonly Step<types.Entry>[];
}

/** What has to be done at `to` so that it has what `from` has; `now` in Unix seconds. */
export const planMigration = (from: Side, to: Side, now: number): Plan => ({
  bundles: planBundles(from, to),
  relationships: planRelationships(from, to),
  entries: planEntries(from, to, now),
});

/** All steps of a plan, of whatever kind. */
export const stepsOf = ({ bundles, relationships, entries }: Plan): readonly Step<unknown>[] => [
  ...bundles,
  ...relationships,
  ...entries,
];
