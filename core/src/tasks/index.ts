export { type ChildRefusal, refuseChild } from './check-child.ts';
export {
  isOver,
  NO_LABELS,
  type Task,
  type TaskBudget,
  type TaskEnd,
  type TaskLabels,
  type TaskOwner,
  type TaskStatus,
  type TaskTerms,
} from './task.ts';
export { TaskTree } from './task-tree.ts';
