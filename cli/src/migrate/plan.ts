import type { types } from '@steeple/proto/server-api';
import { planEntries } from './plan-entries.ts';
import { planBundles, planRelationships } from './plan-federation.ts';
import type { Side } from './read-side.ts';
import type { Step } from './step.ts';

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
