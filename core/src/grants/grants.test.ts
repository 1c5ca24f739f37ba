import { describe, expect, it } from 'vitest';
import { type Constraint, GRANT_LIMITS, GrantError, narrows, parseToolGrants } from './index.ts';

const exact = (value: string | number): Constraint => ({ constraint_type: 'exact', value });
const oneOf = (...values: string[]): Constraint => ({ constraint_type: 'one_of', values });
const noneOf = (...excluded: string[]): Constraint => ({ constraint_type: 'not_one_of', excluded });
const range = (min?: number, max?: number, more: object = {}): Constraint => ({
  constraint_type: 'range',
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
  ...more,
});
const contains = (...required: string[]): Constraint => ({ constraint_type: 'contains', required });
const subset = (...allowed: string[]): Constraint => ({ constraint_type: 'subset', allowed });
const all = (...constraints: Constraint[]): Constraint => ({ constraint_type: 'all', constraints });
const any = (...constraints: Constraint[]): Constraint => ({ constraint_type: 'any', constraints });
const wildcard: Constraint = { constraint_type: 'wildcard' };

describe('attenuation, pair by pair (draft-niyikiza-oauth-attenuating-agent-tokens, section 4.5)', () => {
  it.each<[string, Constraint, Constraint, boolean]>([
    ['equal exact', exact('a'), exact('a'), true],
    ['another exact', exact('a'), exact('b'), false],
    ['exact in a range', exact(5), range(1, 5), true],
    ['exact on an excluded bound', exact(5), range(1, 5, { max_inclusive: false }), false],
    ['a text in a range', exact('5'), range(1, 5), false],
    ['exact in one_of', exact('a'), oneOf('a', 'b'), true],
    ['exact not in one_of', exact('c'), oneOf('a', 'b'), false],
    ['exact below not_one_of', exact('c'), noneOf('a'), false],
    ['exact below contains', exact('a'), contains('a'), false],
    ['a narrower range', range(2, 3), range(1, 4), true],
    ['a wider range', range(0, 3), range(1, 4), false],
    ['a range without the parent’s bound', range(2), range(1, 4), false],
    ['a range with a bound where the parent has none', range(2, 3), range(2), true],
    ['the same bound, excluded', range(1, 4, { min_inclusive: false }), range(1, 4), true],
    ['the same bound, included again', range(1, 4), range(1, 4, { min_inclusive: false }), false],
    ['fewer values', oneOf('a'), oneOf('a', 'b'), true],
    ['another value', oneOf('a', 'c'), oneOf('a', 'b'), false],
    ['one_of below not_one_of', oneOf('a'), noneOf('b'), false],
    ['more exclusions', noneOf('a', 'b'), noneOf('a'), true],
    ['fewer exclusions', noneOf(), noneOf('a'), false],
    ['not_one_of below one_of', noneOf('c'), oneOf('a', 'b'), false],
    ['more required', contains('a', 'b'), contains('a'), true],
    ['less required', contains('b'), contains('a', 'b'), false],
    ['fewer allowed', subset('a'), subset('a', 'b'), true],
    ['more allowed', subset('a', 'c'), subset('a', 'b'), false],
    ['subset below contains', subset('a'), contains('a'), false],
    ['anything below wildcard', range(), wildcard, true],
    ['wildcard below anything else', wildcard, range(), false],
    ['a clause more', all(range(1), range(undefined, 5), noneOf('x')), all(range(1), range(undefined, 5)), true],
    ['a clause less', all(range(1)), all(range(1), range(undefined, 5)), false],
    ['an alternative less', any(exact('a'), exact('b')), any(exact('a'), exact('b'), exact('c')), true],
    ['another alternative', any(exact('a'), exact('d')), any(exact('a'), exact('b')), false],
    ['alternatives of one list', any(exact('a'), exact('b')), oneOf('a', 'b'), true],
    ['a value below two clauses', exact(3), all(range(1), range(undefined, 5)), true],
  ])('%s', (_, child, parent, expected) => {
    expect(narrows(child, parent)).toBe(expected);
  });

  it('gives up on what would take for ever, and calls it wider', () => {
    let [child, parent]: [Constraint, Constraint] = [exact(1), exact(2)];
    for (let depth = 0; depth < 30; depth++) [child, parent] = [all(child, child), any(parent, parent)];
    expect(narrows(child, parent)).toBe(false);
  });
});

describe('parseToolGrants', () => {
  const nested = (depth: number): unknown =>
    depth === 1 ? { constraint_type: 'wildcard' } : { constraint_type: 'all', constraints: [nested(depth - 1)] };
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, {}]));

  it('reads constraints as deep as they may be', () => {
    expect(() => parseToolGrants({ t: { a: nested(GRANT_LIMITS.depth) } })).not.toThrow();
  });

  it.each<[unknown, string]>([
    [null, 'must be an object'],
    [[], 'must be an object'],
    [{ t: 1 }, 't: must be an object'],
    [{ t: { a: {} } }, 't.a.constraint_type: must be one of exact, range'],
    [{ t: { a: { constraint_type: 'regex', pattern: '.*' } } }, 't.a.constraint_type: must be one of'],
    [{ t: { a: { constraint_type: 'constructor' } } }, 't.a.constraint_type: must be one of'],
    [{ t: { a: { constraint_type: 'exact', value: {} } } }, 't.a.value: must be a text'],
    [{ t: { a: { constraint_type: 'exact' } } }, 't.a.value: must be a text'],
    [
      { t: { a: { constraint_type: 'exact', value: 1, valeu: 2 } } },
      't.a.valeu: a constraint of type exact has no such',
    ],
    [{ t: { a: { constraint_type: 'range', min: '1' } } }, 't.a.min: must be a number'],
    [{ t: { a: { constraint_type: 'range', max_inclusive: 1 } } }, 't.a.max_inclusive: must be true or false'],
    [{ t: { a: { constraint_type: 'one_of', values: 'a' } } }, 't.a.values: must be a list'],
    [{ t: { a: { constraint_type: 'one_of', values: [[]] } } }, 't.a.values[0]: must be a text'],
    [{ t: { a: { constraint_type: 'any', constraints: [] } } }, 't.a.constraints: must not be empty'],
    [{ t: { a: { constraint_type: 'wildcard', optional: 1 } } }, 't.a.optional: must be true or false'],
    [
      { t: { a: { constraint_type: 'all', constraints: [{ constraint_type: 'wildcard', optional: true }] } } },
      'has no such member',
    ],
    [{ t: { a: nested(64) } }, 'constraints are nested more than 32 deep'],
    [many(257), 'has more than 256 tools'],
    [{ t: many(65) }, 't: has more than 64 arguments'],
    [{ '': {} }, 'is no name'],
    [JSON.parse('{"__proto__":{}}'), '__proto__: is no name'],
    [
      { t: { a: { constraint_type: 'any', constraints: Array.from({ length: 1025 }, () => nested(1)) } } },
      'more than 1024',
    ],
  ])('refuses %j', (json, message) => {
    expect(() => parseToolGrants(json)).toThrow(GrantError);
    expect(() => parseToolGrants(json)).toThrow(message);
  });
});
