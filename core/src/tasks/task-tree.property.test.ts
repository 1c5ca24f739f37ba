import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isOver, type Task, type TaskTerms, TaskTree } from './index.ts';

const ids = fc.constantFrom('t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7');
const ends = fc.constantFrom('completed' as const, 'failed' as const, 'cancelled' as const, 'revoked' as const);
const holds = fc.constantFrom('approval', 'guardrail');
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      parent: fc.option(ids, { nil: undefined }),
      life: fc.integer({ min: 1, max: 60 }),
    }),
  },
  fc.record({ do: fc.constant('end' as const), id: ids, how: ends }),
  fc.record({ do: fc.constant('suspend' as const), id: ids, hold: holds }),
  fc.record({ do: fc.constant('resume' as const), id: ids, hold: holds }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ do: fc.constant('restart' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Everything that was ever said about each task, and the rules that must hold whatever comes. */
class Records {
  readonly last = new Map<string, Task>();

  write(tasks: readonly Task[]): void {
    for (const task of tasks) {
      const before = this.last.get(task.terms.id);
      if (before !== undefined) {
        expect(isOver(before)).toBe(false); // no way out of a final status
        if (before.status !== task.status) expect(task.epoch).toBe(before.epoch + 1);
        expect(task.terms).toBe(before.terms);
      }
      this.last.set(task.terms.id, task);
    }
  }

  live(): Task[] {
    return [...this.last.values()].filter((task) => !isOver(task));
  }

  check(tree: TaskTree): void {
    expect(tree.size).toBe(this.live().length);
    for (const task of this.live()) {
      expect(tree.get(task.terms.id)).toEqual(task);
      expect(task.status).toBe(task.holds.length === 0 ? 'active' : 'suspended');
      const { parentId } = task.terms;
      if (parentId === undefined) continue;
      const parent = this.last.get(parentId);
      expect(parent !== undefined && !isOver(parent)).toBe(true);
      if (task.status === 'active') expect(parent?.status).toBe('active');
      expect(task.terms.notAfter).toBeLessThanOrEqual(parent?.terms.notAfter ?? 0);
      expect(task.terms.depth).toBe((parent?.terms.depth ?? 0) + 1);
      expect(task.terms.depth).toBeLessThanOrEqual(task.terms.maxDepth);
    }
  }
}

function restarted(records: Records, old: TaskTree): TaskTree {
  const tree = new TaskTree();
  for (const task of records.live().sort((a, b) => a.terms.depth - b.terms.depth))
    tree.restore(task, { handOffs: old.handOffs(task.terms.id) });
  return tree;
}

function play(steps: readonly Step[]): void {
  const records = new Records();
  let tree = new TaskTree();
  let now = 0;
  let made = 0;
  for (const each of steps) {
    switch (each.do) {
      case 'begin': {
        const parent = tree.get(each.parent ?? '');
        const id = `t${made % 8}`;
        if (records.last.get(id) !== undefined && !isOver(records.last.get(id) as Task)) break;
        const terms: TaskTerms = {
          id,
          rootId: parent?.terms.rootId ?? id,
          ...(parent === undefined ? {} : { parentId: parent.terms.id }),
          intent: { id: 'i', version: 1 },
          owner: { spiffeId: 'spiffe://a.test/x', jkt: 'k' },
          environment: 'test',
          maxSensitivity: 1,
          depth: (parent?.terms.depth ?? -1) + 1,
          maxDepth: 3,
          notAfter: now + each.life,
          budget: { delegations: 2 },
        };
        const begun = tree.begin(terms, now);
        if (typeof begun === 'string') break;
        made++;
        records.last.delete(id);
        records.write([begun]);
        break;
      }
      case 'end':
        records.write(tree.end(each.id, each.how));
        break;
      case 'suspend':
        records.write(tree.suspend(each.id, each.hold));
        break;
      case 'resume':
        records.write(tree.resume(each.id, each.hold));
        break;
      case 'wait':
        now += each.seconds;
        records.write(tree.expire(now));
        break;
      case 'restart':
      default:
        // What was written down is all that is left.
        tree = restarted(records, tree);
    }
    records.check(tree);
  }
}

it('keeps its rules whatever happens in whatever order, restarts included', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), play), { numRuns: 500 });
});
