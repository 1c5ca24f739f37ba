import { type Plan, stepsOf } from './plan.ts';
import type { Step } from './step.ts';

const MARK: Readonly<Record<Step<unknown>['action'], string>> = { create: '+', update: '~', keep: '=', refuse: '!' };

/** The plan as a diff: what is added, changed, left as it is and refused, with what to do about that. */
export function planText(plan: Plan): string {
  const parts: [string, readonly Step<unknown>[]][] = [
    ['bundles of other trust domains', plan.bundles],
    ['federation relationships', plan.relationships],
    ['entries', plan.entries],
  ];
  return [
    ...parts.flatMap(([title, steps]) => (steps.length === 0 ? [] : [title, ...lines(steps)])),
    summary(plan),
  ].join('\n');
}

/** What stays as it is goes without saying, unless there is a reason to tell. */
const lines = (steps: readonly Step<unknown>[]): string[] => {
  const shown = steps.filter(({ action, why }) => action !== 'keep' || why !== undefined);
  const silent = steps.length - shown.length;
  return [
    ...shown.flatMap(({ action, name, why, advice }) => [
      `  ${MARK[action]} ${name}${why === undefined ? '' : `: ${why}`}`,
      ...(advice === undefined ? [] : [`      ${advice}`]),
    ]),
    ...(silent > 0 ? [`  = ${silent} as they are`] : []),
  ];
};

const summary = (plan: Plan): string => {
  const count = (action: Step<unknown>['action']): number =>
    stepsOf(plan).filter((step) => step.action === action).length;
  return `${count('create')} to create, ${count('update')} to update, ${count('keep')} to leave, ${count('refuse')} that cannot be taken`;
};

/** The plan for programs. */
export const planValue = (plan: Plan): object => ({
  bundles: plan.bundles.map(stepValue),
  relationships: plan.relationships.map(stepValue),
  entries: plan.entries.map((step) => ({ ...stepValue(step), entry_id: step.wanted.id })),
});

const stepValue = ({ name, action, why, advice }: Step<unknown>): object => ({
  name,
  action,
  ...(why !== undefined && { why }),
  ...(advice !== undefined && { advice }),
});
