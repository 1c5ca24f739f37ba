import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  admits,
  admitsArguments,
  attenuates,
  type Constraint,
  judgeCall,
  meet,
  narrows,
  parseToolGrants,
  type ToolGrants,
} from './index.ts';

const scalar = fc.oneof(
  fc.constantFrom('a', 'b', 'c', ''),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(null, true, 0.5),
);
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.constant({ a: 1 }));
const scalars = fc.array(scalar, { maxLength: 4 });
const bound = fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined });
const flag = fc.option(fc.boolean(), { nil: undefined });

/** JSON has no undefined members. */
const plain = <T extends object>(made: T): T => JSON.parse(JSON.stringify(made)) as T;

const single: fc.Arbitrary<Constraint> = fc.oneof(
  fc.record({ constraint_type: fc.constant('exact' as const), value: scalar }),
  fc
    .record({
      constraint_type: fc.constant('range' as const),
      min: bound,
      max: bound,
      min_inclusive: flag,
      max_inclusive: flag,
    })
    .map((range) => plain(range) as Constraint),
  fc.record({ constraint_type: fc.constant('one_of' as const), values: scalars }),
  fc.record({ constraint_type: fc.constant('not_one_of' as const), excluded: scalars }),
  fc.record({ constraint_type: fc.constant('contains' as const), required: scalars }),
  fc.record({ constraint_type: fc.constant('subset' as const), allowed: scalars }),
  fc.constant({ constraint_type: 'wildcard' as const }),
);
const { constraint } = fc.letrec<{ constraint: Constraint; all: Constraint; any: Constraint }>((tie) => {
  const clauses = fc.array(tie('constraint'), { minLength: 1, maxLength: 3 });
  return {
    constraint: fc.oneof({ depthSize: 'small', withCrossShrink: true }, single, tie('all'), tie('any')),
    all: fc.record({ constraint_type: fc.constant('all' as const), constraints: clauses }),
    any: fc.record({ constraint_type: fc.constant('any' as const), constraints: clauses }),
  };
});
const argument = fc
  .tuple(constraint, fc.boolean())
  .map(([made, optional]) => (optional ? { ...made, optional } : made));
const names = fc.constantFrom('x', 'y');
const grants: fc.Arbitrary<ToolGrants> = fc.dictionary(names, fc.dictionary(names, argument, { maxKeys: 2 }), {
  maxKeys: 2,
});
const call = fc.tuple(names, fc.dictionary(names, value, { maxKeys: 2 }));
const RUNS = { numRuns: 3000 };

describe('constraints', () => {
  it('never allow more than what they narrow', () => {
    fc.assert(
      fc.property(constraint, constraint, value, (child, parent, argument) => {
        fc.pre(narrows(child, parent) && admits(child, argument));
        expect(admits(parent, argument)).toBe(true);
      }),
      RUNS,
    );
  });

  it('narrow themselves', () => {
    fc.assert(
      fc.property(constraint, (each) => {
        expect(narrows(each, each)).toBe(true);
      }),
    );
  });

  it('allow nothing but text, numbers, booleans, null and lists of these, save by a wildcard', () => {
    fc.assert(
      fc.property(single, (each) => {
        fc.pre(each.constraint_type !== 'wildcard');
        expect(admits(each, { a: 1 })).toBe(false);
        expect(admits(each, undefined)).toBe(false);
      }),
    );
  });
});

describe('tool grants', () => {
  it('never cover a call that what they attenuate does not', () => {
    let compared = 0;
    fc.assert(
      fc.property(grants, grants, call, (child, parent, [tool, args]) => {
        if (!attenuates(child, parent) || judgeCall(child, tool, args) !== 'ok') return;
        compared++;
        expect(judgeCall(parent, tool, args)).toBe('ok');
      }),
      { numRuns: 30_000 },
    );
    expect(compared).toBeGreaterThan(0);
  });

  it('meet in exactly the calls that both cover, and their meet attenuates both', () => {
    fc.assert(
      fc.property(grants, grants, call, (a, b, [tool, args]) => {
        const both = meet(a, b);
        const covers = (tools: ToolGrants) => judgeCall(tools, tool, args) === 'ok';
        expect(covers(both)).toBe(covers(a) && covers(b));
        expect(attenuates(both, a) && attenuates(both, b)).toBe(true);
      }),
      RUNS,
    );
  });

  it('come out of the reader as they went in', () => {
    fc.assert(
      fc.property(grants, (made) => {
        expect(parseToolGrants(plain(made))).toEqual(plain(made));
      }),
    );
  });

  it('are a closed world', () => {
    const args = {
      id: { constraint_type: 'exact', value: 1 },
      note: { constraint_type: 'wildcard', optional: true },
    } as const;
    expect(admitsArguments(args, { id: 1 })).toBe(true);
    expect(admitsArguments(args, { id: 1, note: {} })).toBe(true);
    expect(admitsArguments(args, { note: 'n' })).toBe(false);
    expect(admitsArguments(args, { id: 1, other: 1 })).toBe(false);
    expect(admitsArguments({}, { any: 1 })).toBe(false);
    expect(judgeCall({ read: {} }, 'constructor', {})).toBe('tool_not_in_grant');
    expect(judgeCall({ read: {} }, 'read', JSON.parse('{"__proto__":1}') as Record<string, unknown>)).toBe(
      'args_outside_grant',
    );
  });
});
