import { admits } from './admits.ts';
import type { ArgumentConstraint, Constraint, Scalar, ToolArguments, ToolGrants } from './constraint.ts';

/** Whether everything that `child` covers is covered by `parent` too (invariant I4, made for a closed world). */
export function attenuates(child: ToolGrants, parent: ToolGrants): boolean {
  return Object.entries(child).every(([tool, args]) => {
    const of = Object.hasOwn(parent, tool) ? parent[tool] : undefined;
    return of !== undefined && narrowsArguments(args, of);
  });
}

function narrowsArguments(child: ToolArguments, parent: ToolArguments): boolean {
  const added = Object.keys(child).some((name) => !Object.hasOwn(parent, name));
  return (
    !added &&
    Object.entries(parent).every(([name, constraint]) => {
      const own = Object.hasOwn(child, name) ? child[name] : undefined;
      return own === undefined ? constraint.optional === true : narrowsArgument(own, constraint);
    })
  );
}

function narrowsArgument(child: ArgumentConstraint, parent: ArgumentConstraint): boolean {
  return (parent.optional === true || child.optional !== true) && narrows(child, parent);
}

/** Comparisons of clauses before a pair counts as not comparable: enough for anything but an attempt to keep us busy. */
const MOST_STEPS = 20_000;

/**
 * Whether `child` is seen to allow no value that `parent` does not. What cannot be seen counts as wider.
 *
 * Single constraints are compared by the rules of the draft's section 4.5. Composites are compared by what they mean, which
 * the draft does only where both are of one type: otherwise the meet of two authorities would narrow neither of them.
 */
export function narrows(child: Constraint, parent: Constraint): boolean {
  return compare(child, parent, { left: MOST_STEPS });
}

function compare(child: Constraint, parent: Constraint, steps: { left: number }): boolean {
  if (--steps.left < 0) return false;
  const within = (own: Constraint) => compare(own, parent, steps);
  const over = (of: Constraint) => compare(child, of, steps);
  if (parent.constraint_type === 'all') return parent.constraints.every(over);
  if (child.constraint_type === 'any') return child.constraints.length > 0 && child.constraints.every(within);
  const found = child.constraint_type === 'all' && child.constraints.some(within);
  return found || (parent.constraint_type === 'any' ? parent.constraints.some(over) : narrowsSingle(child, parent));
}

function narrowsSingle(child: Constraint, parent: Constraint): boolean {
  if (parent.constraint_type === 'wildcard') return true;
  switch (child.constraint_type) {
    case 'exact':
      return narrowsExact(child, parent);
    case 'range':
      return parent.constraint_type === 'range' && narrowsRange(child, parent);
    case 'one_of':
      return parent.constraint_type === 'one_of' && includesAll(parent.values, child.values);
    case 'not_one_of':
      return parent.constraint_type === 'not_one_of' && includesAll(child.excluded, parent.excluded);
    case 'contains':
      return parent.constraint_type === 'contains' && includesAll(child.required, parent.required);
    case 'subset':
      return parent.constraint_type === 'subset' && includesAll(parent.allowed, child.allowed);
    case 'wildcard':
    case 'all':
    case 'any':
    default:
      return false;
  }
}

type Of<T extends Constraint['constraint_type']> = Extract<Constraint, { constraint_type: T }>;

function narrowsExact(child: Of<'exact'>, parent: Constraint): boolean {
  const comparable = ['exact', 'range', 'one_of'].includes(parent.constraint_type);
  return comparable && admits(parent, child.value);
}

function narrowsRange(child: Of<'range'>, parent: Of<'range'>): boolean {
  return (
    within(child.min, child.min_inclusive, parent.min, parent.min_inclusive, (a, b) => a > b) &&
    within(child.max, child.max_inclusive, parent.max, parent.max_inclusive, (a, b) => a < b)
  );
}

/** Whether one bound lies on or within the other. */
function within(
  own: number | undefined,
  ownInclusive = true,
  of: number | undefined,
  ofInclusive = true,
  isInside: (own: number, of: number) => boolean,
): boolean {
  if (of === undefined) return true;
  if (own === undefined) return false;
  return isInside(own, of) || (own === of && (ofInclusive || !ownInclusive));
}

function includesAll(list: readonly Scalar[], elements: readonly Scalar[]): boolean {
  const members = new Set(list);
  return elements.every((element) => members.has(element));
}
