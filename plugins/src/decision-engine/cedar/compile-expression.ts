import type { CedarValueJson, Expr, PatternElem } from '@cedar-policy/cedar-wasm/nodejs';
import { EntityRef, type PolicyRecord, type PolicyValue } from '../decision-engine.ts';
import type { Situation } from './situation.ts';
import { bool, entity, equal, fail, includes, isRecord, isSet, long, memberOf, set } from './value.ts';

/** One part of a policy, compiled; throws EvaluationError where Cedar's evaluation is an error. */
export type Evaluate = (situation: Situation) => PolicyValue;

/** A policy uses something that this evaluator does not know; the reference implementation has to judge it. */
export class NotCompiled extends Error {
  override readonly name = 'NotCompiled';
}

function notCompiled(what: string): never {
  throw new NotCompiled(what);
}

type Operands = { readonly left: Expr; readonly right: Expr };
type Binary = (a: PolicyValue, b: PolicyValue, situation: Situation) => PolicyValue;

/** The operators that evaluate both sides before anything else. */
const BINARY: Readonly<Record<string, Binary>> = {
  '==': equal,
  '!=': (a, b) => !equal(a, b),
  '<': (a, b) => long(a) < long(b),
  '<=': (a, b) => long(a) <= long(b),
  '>': (a, b) => long(a) > long(b),
  '>=': (a, b) => long(a) >= long(b),
  '+': (a, b) => whole(long(a) + long(b)),
  '-': (a, b) => whole(long(a) - long(b)),
  '*': (a, b) => whole(long(a) * long(b)),
  contains: (a, b) => includes(set(a), b),
  containsAll: (a, b) => set(b).every((each) => includes(set(a), each)),
  containsAny: (a, b) => set(b).some((each) => includes(set(a), each)),
  in: (a, b, situation) => isIn(entity(a), b, situation),
};

/** Turns an expression in Cedar's JSON format into a function. @throws {NotCompiled} */
export function compileExpression(expression: Expr): Evaluate {
  const [[operator, operand], ...others] = Object.entries(expression) as [[string, never], ...unknown[]];
  if (others.length > 0) throw new NotCompiled('an expression with several operators');
  const binary = Object.hasOwn(BINARY, operator) ? BINARY[operator] : undefined;
  if (binary !== undefined) return compileBinary(operand as Operands, binary);
  const compile = Object.hasOwn(OTHERS, operator) ? OTHERS[operator] : undefined;
  if (compile === undefined) throw new NotCompiled(operator);
  return compile(operand);
}

/** The value of a literal. @throws {NotCompiled} for values of extension types */
export function literal(json: CedarValueJson): PolicyValue {
  if (Array.isArray(json)) return json.map(literal);
  if (json === null) return notCompiled('null');
  if (typeof json === 'number') return Number.isSafeInteger(json) ? json : notCompiled('a number of more than 53 bits');
  if (typeof json !== 'object') return json;
  if ('__extn' in json) return notCompiled('an extension value');
  if ('__entity' in json) {
    const { type, id } = json['__entity'] as { type: string; id: string };
    return new EntityRef(type, id);
  }
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, literal(value as CedarValueJson)]));
}

const OTHERS: Readonly<Record<string, (operand: never) => Evaluate>> = {
  Value: (json: CedarValueJson) => {
    const value = literal(json);
    return () => value;
  },
  Var: (name: 'principal' | 'action' | 'resource' | 'context') =>
    name === 'action' ? ({ action }) => action : ({ request }) => request[name],
  '!': ({ arg }: { arg: Expr }) => {
    const inner = compileExpression(arg);
    return (situation) => !bool(inner(situation));
  },
  neg: ({ arg }: { arg: Expr }) => {
    const inner = compileExpression(arg);
    return (situation) => whole(-long(inner(situation)));
  },
  isEmpty: ({ arg }: { arg: Expr }) => {
    const inner = compileExpression(arg);
    return (situation) => set(inner(situation)).length === 0;
  },
  '&&': ({ left, right }: Operands) => {
    const [first, second] = [compileExpression(left), compileExpression(right)];
    return (situation) => bool(first(situation)) && bool(second(situation));
  },
  '||': ({ left, right }: Operands) => {
    const [first, second] = [compileExpression(left), compileExpression(right)];
    return (situation) => bool(first(situation)) || bool(second(situation));
  },
  'if-then-else': (branches: { if: Expr; then: Expr; else: Expr }) => {
    const [test, yes, no] = [branches.if, branches.then, branches.else].map(compileExpression) as [
      Evaluate,
      Evaluate,
      Evaluate,
    ];
    return (situation) => (bool(test(situation)) ? yes(situation) : no(situation));
  },
  '.': ({ left, attr }: { left: Expr; attr: string }) => {
    const of = compileExpression(left);
    return (situation) => attributesOf(of(situation), situation, attr) ?? fail(`there is no attribute ${attr}`);
  },
  has: ({ left, attr }: { left: Expr; attr: string | readonly string[] }) => {
    const of = compileExpression(left);
    const path = typeof attr === 'string' ? [attr] : attr;
    return (situation) => hasPath(of(situation), situation, path);
  },
  like: ({ left, pattern }: { left: Expr; pattern: readonly PatternElem[] }) => {
    const text = compileExpression(left);
    const matcher = wildcardMatcher(pattern);
    return (situation) => {
      const value = text(situation);
      return typeof value === 'string' ? matcher.test(value) : fail('a String was expected');
    };
  },
  is: ({ left, entity_type: type, in: group }: { left: Expr; entity_type: string; in?: Expr }) => {
    const [of, within] = [compileExpression(left), group === undefined ? undefined : compileExpression(group)];
    return (situation) => {
      const ref = entity(of(situation));
      return ref.type === type && (within === undefined || isIn(ref, within(situation), situation));
    };
  },
  Set: (elements: readonly Expr[]) => {
    const compiled = elements.map(compileExpression);
    return (situation) => compiled.map((element) => element(situation));
  },
  Record: (members: Readonly<Record<string, Expr>>) => {
    const compiled = Object.entries(members).map(([name, member]) => [name, compileExpression(member)] as const);
    return (situation) => Object.fromEntries(compiled.map(([name, member]) => [name, member(situation)]));
  },
};

function compileBinary({ left, right }: Operands, apply: Binary): Evaluate {
  const [first, second] = [compileExpression(left), compileExpression(right)];
  return (situation) => apply(first(situation), second(situation), situation);
}

/**
 * Cedar's Long has 64 bits, a number here 53: between the two Cedar would still calculate, and we deny.
 */
function whole(value: number): number {
  // -0 is a number of its own here, and not in Cedar.
  return Number.isSafeInteger(value) ? value + 0 : fail('a number is out of range');
}

function isIn(ref: EntityRef, group: PolicyValue, situation: Situation): boolean {
  if (!isSet(group)) return situation.isIn(ref, entity(group));
  const groups = group.map(entity);
  return groups.some((each) => situation.isIn(ref, each));
}

function attributesOf(value: PolicyValue, situation: Situation, name: string): PolicyValue | undefined {
  if (value instanceof EntityRef)
    return memberOf((situation.find(value) ?? fail(`nothing is known of ${value.type}`)).attrs, name);
  return isRecord(value) ? memberOf(value, name) : fail('an entity or a record was expected');
}

function hasPath(value: PolicyValue, situation: Situation, path: readonly string[]): boolean {
  let at: PolicyValue | undefined = value;
  for (const name of path) {
    const members: PolicyRecord | undefined =
      at instanceof EntityRef
        ? situation.find(at)?.attrs
        : isRecord(at)
          ? at
          : fail('an entity or a record was expected');
    const next: PolicyValue | undefined = members === undefined ? undefined : memberOf(members, name);
    if (next === undefined) return false;
    at = next;
  }
  return true;
}

/** A star is any text; everything else is itself. Linear in the text for one star, and never exponential. */
function wildcardMatcher(pattern: readonly PatternElem[]): { test(text: string): boolean } {
  const parts: string[] = [''];
  for (const element of pattern) {
    if (element === 'Wildcard') parts.push('');
    else parts.push((parts.pop() ?? '') + element.Literal);
  }
  return { test: (text) => matchesParts(text, parts) };
}

function matchesParts(text: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return text === first;
  const last = rest.pop() ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > text.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
