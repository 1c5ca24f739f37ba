import { planText, planValue } from '../migrate/show-plan.ts';
import { idText } from '../spiffe-id-flag.ts';
import type { ApplyPlan } from './plan-apply.ts';

/** The plan as a diff. What is no longer in the files is only told of without `prune`. */
export function applyText(plan: ApplyPlan, prune: boolean): string {
  const stale = [
    ...plan.staleEntries.map(({ id, spiffeId }) => `${idText(spiffeId)} (${id})`),
    ...plan.staleRelationships.map((name) => `relationship to ${name}`),
  ];
  if (stale.length === 0) return planText(plan);
  if (!prune) {
    return `${planText(plan)}\n${stale.length} that an earlier apply made are in no file any more; --prune removes them`;
  }
  return [
    'no longer in the files',
    ...stale.map((name) => `  - ${name}`),
    planText(plan),
    `${stale.length} to remove`,
  ].join('\n');
}

/** The plan for programs. */
export const applyValue = (plan: ApplyPlan, prune: boolean): object => ({
  ...planValue(plan),
  [prune ? 'remove' : 'stale']: {
    entries: plan.staleEntries.map(({ id }) => id),
    relationships: plan.staleRelationships,
  },
});
