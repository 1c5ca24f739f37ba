import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Groups } from './groups.ts';

const put = fc.record({ op: fc.constant('put' as const), key: fc.nat(2).map(String), id: fc.nat(3).map(String) });
const remove = fc.record({ op: fc.constant('remove' as const), key: fc.nat(2).map(String), id: fc.nat(3).map(String) });

describe('Groups', () => {
  it('is a map of maps, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(put, put, remove), { maxLength: 40 }), (steps) => {
        const groups = new Groups<{ id: string; step: number }>();
        const model = new Map<string, Map<string, { id: string; step: number }>>();
        for (const [step, { op, key, id }] of steps.entries()) {
          const group = model.get(key) ?? new Map<string, { id: string; step: number }>();
          model.set(key, group);
          if (op === 'put') {
            group.set(id, { id, step });
            groups.put(key, { id, step });
          } else {
            group.delete(id);
            groups.remove(key, id);
          }
          for (const [name, items] of model) {
            const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);
            expect([...groups.get(name)].sort(byId)).toEqual([...items.values()].sort(byId));
          }
        }
      }),
    );
  });
});
