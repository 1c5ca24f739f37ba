import type { Task, TaskTerms } from './task.ts';

/** Why a task cannot be begun below another; the codes that a refusal bears. */
export type ChildRefusal =
  | 'task_not_active'
  | 'task_expired'
  | 'delegation_depth'
  | 'delegation_outlives_parent'
  | 'delegation_widens'
  | 'environment'
  | 'budget';

/** Whether a task with these terms may be begun below its parent now; undefined if it may. */
export function refuseChild(parent: Task, terms: TaskTerms, children: number, now: number): ChildRefusal | undefined {
  const above = parent.terms;
  if (parent.status !== 'active' || terms.parentId !== above.id || terms.rootId !== above.rootId)
    return 'task_not_active';
  if (above.notAfter <= now || terms.notAfter <= now) return 'task_expired';
  if (terms.depth !== above.depth + 1 || terms.depth > above.maxDepth || terms.maxDepth > above.maxDepth)
    return 'delegation_depth';
  if (terms.notAfter > above.notAfter) return 'delegation_outlives_parent';
  if (terms.maxSensitivity > above.maxSensitivity || terms.principal !== above.principal) return 'delegation_widens';
  if (!withinBudget(terms, above)) return 'delegation_widens';
  if (terms.environment !== above.environment) return 'environment';
  if (children >= (above.budget.delegations ?? Number.POSITIVE_INFINITY)) return 'budget';
  return undefined;
}

function withinBudget({ budget }: TaskTerms, { budget: above }: TaskTerms): boolean {
  const most = (limit: number | undefined): number => limit ?? Number.POSITIVE_INFINITY;
  return most(budget.calls) <= most(above.calls) && most(budget.bytesOut) <= most(above.bytesOut);
}
