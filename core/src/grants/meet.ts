import { narrows } from './attenuates.ts';
import type { ArgumentConstraint, Constraint, ToolArguments, ToolGrants } from './constraint.ts';

/** What both cover, and nothing else: the authority of who acts under both. */
export function meet(a: ToolGrants, b: ToolGrants): ToolGrants {
  const met: [string, ToolArguments][] = [];
  for (const [tool, args] of Object.entries(a)) {
    const other = Object.hasOwn(b, tool) ? b[tool] : undefined;
    const both = other === undefined ? undefined : meetArguments(args, other);
    if (both !== undefined) met.push([tool, both]);
  }
  return Object.fromEntries(met);
}

/** Undefined if no call can please both. */
function meetArguments(a: ToolArguments, b: ToolArguments): ToolArguments | undefined {
  const met: [string, ArgumentConstraint][] = [];
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [own, other] = [a, b].map((args) => (Object.hasOwn(args, name) ? args[name] : undefined));
    if (own !== undefined && other !== undefined) met.push([name, meetArgument(own, other)]);
    // One forbids what the other wants to be there.
    else if ((own ?? other)?.optional !== true) return undefined;
  }
  return Object.fromEntries(met);
}

function meetArgument(a: ArgumentConstraint, b: ArgumentConstraint): ArgumentConstraint {
  const { optional: ofA = false, ...own } = a;
  const { optional: ofB = false, ...other } = b;
  return { ...meetConstraints(own as Constraint, other as Constraint), ...(ofA && ofB ? { optional: true } : {}) };
}

function meetConstraints(a: Constraint, b: Constraint): Constraint {
  if (narrows(a, b)) return a;
  if (narrows(b, a)) return b;
  return { constraint_type: 'all', constraints: [...clauses(a), ...clauses(b)] };
}

const clauses = (constraint: Constraint): readonly Constraint[] =>
  constraint.constraint_type === 'all' ? constraint.constraints : [constraint];
