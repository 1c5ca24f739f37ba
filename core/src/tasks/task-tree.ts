import { type ChildRefusal, refuseChild } from './check-child.ts';
import { isOver, NO_LABELS, type Task, type TaskEnd, type TaskLabels, type TaskTerms } from './task.ts';

/**
 * The tasks that are not over, and the tree they make, which is the tree of authority.
 *
 * T1. No task leaves a final status.
 * T2. A task is active only if every task above it is.
 * T3. A child never has more than its parent: not longer, not deeper, not more sensitive. See `refuseChild`.
 * T4. Each change of status raises the epoch.
 *
 * Every method returns what it changed, for the caller to write down in one step.
 */
export class TaskTree {
  readonly #live = new Map<string, Task>();
  readonly #children = new Map<string, Set<string>>();
  /** Hand-offs so far, those that are over included. */
  readonly #begun = new Map<string, number>();
  /** By root. */
  readonly #labels = new Map<string, TaskLabels>();

  get size(): number {
    return this.#live.size;
  }

  get(id: string): Task | undefined {
    return this.#live.get(id);
  }

  /** Begins a task, below its parent if it has one. */
  begin(terms: TaskTerms, now: number): Task | ChildRefusal {
    const { parentId } = terms;
    const begun = parentId === undefined ? 0 : this.handOffs(parentId);
    if (parentId !== undefined) {
      const parent = this.#live.get(parentId);
      if (parent === undefined) return 'task_not_active';
      const refusal = refuseChild(parent, terms, begun, now);
      if (refusal !== undefined) return refusal;
    } else if (terms.notAfter <= now) return 'task_expired';
    const task: Task = { terms, status: 'active', epoch: 1, holds: [] };
    this.#put(task);
    if (parentId !== undefined) this.#begun.set(parentId, begun + 1);
    return task;
  }

  /** Takes up a task as it was written down. Parents come before their children. */
  restore(task: Task, { handOffs, labels }: { readonly handOffs: number; readonly labels?: TaskLabels }): void {
    if (isOver(task)) return;
    const { id, rootId } = task.terms;
    this.#put(task);
    this.#begun.set(id, handOffs);
    if (labels !== undefined) this.#labels.set(rootId, labels);
  }

  /** How many tasks were begun below this one so far. */
  handOffs(id: string): number {
    return this.#begun.get(id) ?? 0;
  }

  /** Ends a task, and everything below it. Nothing happens to one that is over. */
  end(id: string, how: TaskEnd): readonly Task[] {
    const task = this.#live.get(id);
    if (task === undefined) return [];
    const below = this.#below(id).map((each) => over(each, 'cancelled')); // T2
    const changed = [over(task, how), ...below];
    for (const each of changed) this.#remove(each.terms);
    return changed;
  }

  /** Ends whatever has come to its time, and with it what is below. */
  expire(now: number): readonly Task[] {
    const due = [...this.#live.values()].filter(({ terms }) => terms.notAfter <= now);
    return due.flatMap(({ terms }) => this.end(terms.id, 'expired'));
  }

  /** Holds a task and everything below it until this hold is released. */
  suspend(id: string, hold: string): readonly Task[] {
    const task = this.#live.get(id);
    if (task === undefined || task.holds.includes(hold)) return [];
    const held = [task, ...this.#below(id)].filter(({ holds }) => !holds.includes(hold)); // T2
    return held.map((each) => this.#changeHolds(each, [...each.holds, hold]));
  }

  /** Releases a hold from a task and everything below it, unless a task above is held by it. */
  resume(id: string, hold: string): readonly Task[] {
    const task = this.#live.get(id);
    if (task === undefined || this.#above(task).some(({ holds }) => holds.includes(hold))) return [];
    const held = [task, ...this.#below(id)].filter(({ holds }) => holds.includes(hold));
    return held.map((each) =>
      this.#changeHolds(
        each,
        each.holds.filter((other) => other !== hold),
      ),
    );
  }

  labels(rootId: string): TaskLabels {
    return this.#labels.get(rootId) ?? NO_LABELS;
  }

  /** Notes what a tree has seen; returns its labels if they have risen. */
  raise(rootId: string, seen: Partial<TaskLabels>): TaskLabels | undefined {
    if (!this.#live.has(rootId)) return undefined;
    const before = this.labels(rootId);
    const highWater = Math.max(before.highWater, seen.highWater ?? 0);
    const untrustedInput = before.untrustedInput || seen.untrustedInput === true;
    if (highWater === before.highWater && untrustedInput === before.untrustedInput) return undefined;
    const labels = { highWater, untrustedInput };
    this.#labels.set(rootId, labels);
    return labels;
  }

  #changeHolds(task: Task, holds: readonly string[]): Task {
    const status = holds.length === 0 ? 'active' : 'suspended';
    return this.#store({ ...task, holds, status, epoch: status === task.status ? task.epoch : task.epoch + 1 }); // T4
  }

  #above(task: Task): readonly Task[] {
    const above: Task[] = [];
    for (let id = task.terms.parentId; id !== undefined; ) {
      const parent = this.#live.get(id);
      if (parent === undefined) break;
      above.push(parent);
      id = parent.terms.parentId;
    }
    return above;
  }

  /** Parents before children. */
  #below(id: string): readonly Task[] {
    const found: Task[] = [];
    const waiting = [...(this.#children.get(id) ?? [])];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const task = this.#live.get(next);
      if (task !== undefined) found.push(task);
      waiting.push(...(this.#children.get(next) ?? []));
    }
    return found;
  }

  #put(task: Task): void {
    const { id, parentId } = task.terms;
    this.#store(task);
    if (parentId === undefined) return;
    const siblings = this.#children.get(parentId) ?? new Set();
    this.#children.set(parentId, siblings.add(id));
  }

  #store(task: Task): Task {
    this.#live.set(task.terms.id, task);
    return task;
  }

  #remove({ id, parentId }: TaskTerms): void {
    this.#live.delete(id);
    this.#children.delete(id);
    this.#begun.delete(id);
    this.#labels.delete(id);
    if (parentId === undefined) return;
    const siblings = this.#children.get(parentId);
    siblings?.delete(id);
    if (siblings?.size === 0) this.#children.delete(parentId);
  }
}

function over(task: Task, status: TaskEnd): Task {
  return { ...task, status, holds: [], epoch: task.epoch + 1 }; // T1, T4
}
