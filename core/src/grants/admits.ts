import { type Constraint, isScalar, type Scalar, type ToolArguments, type ToolGrants } from './constraint.ts';

/** Why a call is not covered; the codes that a refusal bears. */
export type GrantVerdict = 'ok' | 'tool_not_in_grant' | 'args_outside_grant';

/** Whether a call of a tool with these arguments, as JSON has them, is covered. */
export function judgeCall(grants: ToolGrants, tool: string, args: Readonly<Record<string, unknown>>): GrantVerdict {
  // Own members only: "constructor" is no tool.
  const allowed = Object.hasOwn(grants, tool) ? grants[tool] : undefined;
  if (allowed === undefined) return 'tool_not_in_grant';
  return admitsArguments(allowed, args) ? 'ok' : 'args_outside_grant';
}

export function admitsArguments(allowed: ToolArguments, args: Readonly<Record<string, unknown>>): boolean {
  if (Object.keys(args).some((name) => !Object.hasOwn(allowed, name))) return false;
  return Object.entries(allowed).every(([name, constraint]) =>
    Object.hasOwn(args, name) ? admits(constraint, args[name]) : constraint.optional === true,
  );
}

/** Whether the value is allowed by the constraint. */
export function admits(constraint: Constraint, value: unknown): boolean {
  switch (constraint.constraint_type) {
    case 'exact':
      return value === constraint.value;
    case 'range':
      return typeof value === 'number' && inRange(constraint, value);
    case 'one_of':
      return isMember(constraint.values, value);
    case 'not_one_of':
      // Of what is no scalar nobody can say that it is none of these.
      return isScalar(value) && !constraint.excluded.includes(value);
    case 'contains':
      return Array.isArray(value) && constraint.required.every((element) => value.includes(element));
    case 'subset':
      return Array.isArray(value) && value.every((element) => isMember(constraint.allowed, element));
    case 'wildcard':
      return true;
    case 'all':
      return constraint.constraints.every((each) => admits(each, value));
    case 'any':
      return constraint.constraints.some((each) => admits(each, value));
    default:
      return unknownType(constraint);
  }
}

/** Compiled programs may meet what the types do not know: it is a denial. */
function unknownType(_constraint: never): false {
  return false;
}

function isMember(list: readonly Scalar[], value: unknown): boolean {
  return isScalar(value) && list.includes(value);
}

type Range = Extract<Constraint, { constraint_type: 'range' }>;

function inRange({ min, max, min_inclusive = true, max_inclusive = true }: Range, value: number): boolean {
  const aboveMin = min === undefined || value > min || (min_inclusive && value === min);
  const belowMax = max === undefined || value < max || (max_inclusive && value === max);
  return aboveMin && belowMax;
}
