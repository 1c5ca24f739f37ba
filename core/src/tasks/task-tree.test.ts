import { describe, expect, it } from 'vitest';
import { type Task, type TaskTerms, TaskTree } from './index.ts';

const NOW = 1000;
const root: TaskTerms = {
  id: 'root',
  rootId: 'root',
  intent: { id: 'ticket.summarise', version: 3 },
  owner: { spiffeId: 'spiffe://example.org/planner', jkt: 'a' },
  principal: 'user:alice',
  environment: 'prod',
  maxSensitivity: 2,
  depth: 0,
  maxDepth: 2,
  notAfter: NOW + 300,
  budget: { calls: 10, delegations: 2 },
};
const below = (parentId: string, id: string, depth: number, more: Partial<TaskTerms> = {}): TaskTerms => ({
  ...root,
  id,
  parentId,
  depth,
  ...more,
});

function grown(): TaskTree {
  const tree = new TaskTree();
  tree.begin(root, NOW);
  tree.begin(below('root', 'a', 1), NOW);
  tree.begin(below('root', 'b', 1), NOW);
  tree.begin(below('a', 'aa', 2), NOW);
  return tree;
}
const said = (tasks: readonly Task[]) => tasks.map(({ terms, status, epoch }) => `${terms.id} ${status} ${epoch}`);

describe('TaskTree', () => {
  it.each<[string, string, Partial<TaskTerms>]>([
    ['deeper than allowed', 'delegation_depth', { depth: 3 }],
    ['deeper than it is', 'delegation_depth', { depth: 2 }],
    ['room for more hand-offs', 'delegation_depth', { maxDepth: 3 }],
    ['a longer life', 'delegation_outlives_parent', { notAfter: NOW + 301 }],
    ['a life that is over', 'task_expired', { notAfter: NOW }],
    ['more sensitive data', 'delegation_widens', { maxSensitivity: 3 }],
    ['another principal', 'delegation_widens', { principal: 'user:bob' }],
    ['more calls', 'delegation_widens', { budget: { calls: 11 } }],
    ['calls without limit', 'delegation_widens', { budget: {} }],
    ['another environment', 'environment', { environment: 'dev' }],
    ['another tree', 'task_not_active', { rootId: 'other' }],
    ['a parent that is not there', 'task_not_active', { parentId: 'nobody' }],
  ])('gives a child no %s', (_, code, more) => {
    const tree = new TaskTree();
    tree.begin(root, NOW);
    expect(tree.begin(below('root', 'child', 1, more), NOW)).toBe(code);
    expect(tree.size).toBe(1);
  });

  it('counts hand-offs, those that are over included', () => {
    const tree = grown();
    tree.end('b', 'completed');
    expect(tree.begin(below('root', 'c', 1), NOW)).toBe('budget');
  });

  it('takes up what was written down, the number of hand-offs included', () => {
    const old = grown();
    const tree = new TaskTree();
    const labels = { highWater: 2, untrustedInput: false };
    for (const id of ['root', 'a', 'b']) {
      const task = old.get(id);
      if (task !== undefined) tree.restore(task, { handOffs: old.handOffs(id), labels });
    }
    expect(tree.labels('root')).toEqual(labels);
    expect(tree.begin(below('root', 'c', 1), NOW)).toBe('budget');
    expect(said(tree.end('root', 'completed'))).toEqual(['root completed 2', 'a cancelled 2', 'b cancelled 2']);
  });

  it('ends everything below with a task', () => {
    const tree = grown();
    expect(said(tree.end('a', 'completed'))).toEqual(['a completed 2', 'aa cancelled 2']);
    expect(tree.end('a', 'failed')).toEqual([]);
    expect(said(tree.end('root', 'revoked'))).toEqual(['root revoked 2', 'b cancelled 2']);
    expect(tree.size).toBe(0);
  });

  it('holds and releases everything below, whatever holds a part of it besides', () => {
    const tree = grown();
    expect(said(tree.suspend('aa', 'approval'))).toEqual(['aa suspended 2']);
    expect(said(tree.suspend('root', 'guardrail'))).toEqual([
      'root suspended 2',
      'a suspended 2',
      'b suspended 2',
      'aa suspended 2',
    ]);
    expect(tree.begin(below('b', 'bb', 2), NOW)).toBe('task_not_active');
    expect(tree.resume('a', 'guardrail')).toEqual([]);
    expect(said(tree.resume('root', 'guardrail'))).toEqual([
      'root active 3',
      'a active 3',
      'b active 3',
      'aa suspended 2',
    ]);
    expect(said(tree.resume('aa', 'approval'))).toEqual(['aa active 3']);
  });

  it('ends what has come to its time, and what is below', () => {
    const tree = new TaskTree();
    tree.begin(root, NOW);
    tree.begin(below('root', 'short', 1, { notAfter: NOW + 10 }), NOW);
    tree.begin(below('short', 'shorter', 2, { notAfter: NOW + 10 }), NOW);
    expect(tree.expire(NOW + 9)).toEqual([]);
    expect(said(tree.expire(NOW + 10))).toEqual(['short expired 2', 'shorter cancelled 2']);
    expect(tree.begin({ ...root, id: 'late', rootId: 'late' }, NOW + 300)).toBe('task_expired');
  });

  it('never forgets what a tree has seen', () => {
    const tree = grown();
    expect(tree.raise('root', { highWater: 2 })).toEqual({ highWater: 2, untrustedInput: false });
    expect(tree.raise('root', { highWater: 1 })).toBeUndefined();
    expect(tree.raise('root', { untrustedInput: true })).toEqual({ highWater: 2, untrustedInput: true });
    tree.end('a', 'completed');
    expect(tree.labels('root')).toEqual({ highWater: 2, untrustedInput: true });
    expect(tree.raise('nobody', { highWater: 3 })).toBeUndefined();
  });
});
