import { type ArgumentConstraint, type Constraint, isScalar, type Scalar, type ToolGrants } from './constraint.ts';

/** A tool list or a constraint is not what it should be; `path` names the place, such as `read.limit.max`. */
export class GrantError extends Error {
  override readonly name = 'GrantError';
  readonly path: string;

  constructor(path: string, message: string) {
    super(path === '' ? message : `${path}: ${message}`);
    this.path = path;
  }
}

/** Enough for what people write by hand, and little enough that judging a call stays cheap. */
export const GRANT_LIMITS = { tools: 256, arguments: 64, depth: 32, constraints: 2048, values: 1024, text: 4096 };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads what a request, a file or a token says about tools. Whatever is not known is an error, so that nothing is ever
 * wider than who wrote it meant.
 *
 * @throws {GrantError}
 */
export function parseToolGrants(json: unknown): ToolGrants {
  const budget = { left: GRANT_LIMITS.constraints };
  return mapOf(json, '', GRANT_LIMITS.tools, 'tools', (args, tool) =>
    mapOf(args, tool, GRANT_LIMITS.arguments, 'arguments', (value, path) => argumentOf(value, path, budget)),
  );
}

function argumentOf(json: unknown, path: string, budget: { left: number }): ArgumentConstraint {
  const { optional, ...fields } = fieldsOf(json, path);
  const constraint = constraintOf(fields, path, 1, budget);
  if (optional === undefined || optional === false) return constraint;
  if (optional !== true) throw new GrantError(`${path}.optional`, 'must be true or false');
  return { ...constraint, optional };
}

const MEMBERS: Readonly<Record<Constraint['constraint_type'], readonly string[]>> = {
  exact: ['value'],
  range: ['min', 'max', 'min_inclusive', 'max_inclusive'],
  one_of: ['values'],
  not_one_of: ['excluded'],
  contains: ['required'],
  subset: ['allowed'],
  wildcard: [],
  all: ['constraints'],
  any: ['constraints'],
};

function constraintOf(json: unknown, path: string, depth: number, budget: { left: number }): Constraint {
  if (depth > GRANT_LIMITS.depth)
    throw new GrantError(path, `constraints are nested more than ${GRANT_LIMITS.depth} deep`);
  if (--budget.left < 0) throw new GrantError(path, `there are more than ${GRANT_LIMITS.constraints} constraints`);
  const { constraint_type: type, ...fields } = fieldsOf(json, path);
  if (typeof type !== 'string' || !Object.hasOwn(MEMBERS, type))
    throw new GrantError(`${path}.constraint_type`, `must be one of ${Object.keys(MEMBERS).join(', ')}`);
  const kind = type as Constraint['constraint_type'];
  for (const name of Object.keys(fields))
    if (!MEMBERS[kind].includes(name))
      throw new GrantError(`${path}.${name}`, `a constraint of type ${kind} has no such member`);
  switch (kind) {
    case 'exact':
      return { constraint_type: kind, value: scalarOf(fields['value'], `${path}.value`) };
    case 'range':
      return rangeOf(fields, path);
    case 'one_of':
      return { constraint_type: kind, values: scalarsOf(fields, 'values', path) };
    case 'not_one_of':
      return { constraint_type: kind, excluded: scalarsOf(fields, 'excluded', path) };
    case 'contains':
      return { constraint_type: kind, required: scalarsOf(fields, 'required', path) };
    case 'subset':
      return { constraint_type: kind, allowed: scalarsOf(fields, 'allowed', path) };
    case 'wildcard':
      return { constraint_type: kind };
    case 'all':
    case 'any':
    default:
      return { constraint_type: kind, constraints: clausesOf(fields, path, depth, budget) };
  }
}

function rangeOf(fields: Fields, path: string): Constraint {
  const { min, max, min_inclusive, max_inclusive } = fields;
  for (const [name, value] of Object.entries({ min, max }))
    if (value !== undefined && !Number.isFinite(value)) throw new GrantError(`${path}.${name}`, 'must be a number');
  for (const [name, value] of Object.entries({ min_inclusive, max_inclusive }))
    if (value !== undefined && typeof value !== 'boolean')
      throw new GrantError(`${path}.${name}`, 'must be true or false');
  return { constraint_type: 'range', ...(fields as object) };
}

function clausesOf(fields: Fields, path: string, depth: number, budget: { left: number }): readonly Constraint[] {
  const list = listOf(fields, 'constraints', path);
  if (list.length === 0) throw new GrantError(`${path}.constraints`, 'must not be empty');
  return list.map((each, at) => constraintOf(each, `${path}.constraints[${at}]`, depth + 1, budget));
}

function scalarsOf(fields: Fields, name: string, path: string): readonly Scalar[] {
  return listOf(fields, name, path).map((value, at) => scalarOf(value, `${path}.${name}[${at}]`));
}

function listOf(fields: Fields, name: string, path: string): readonly unknown[] {
  const list = fields[name];
  if (!Array.isArray(list)) throw new GrantError(`${path}.${name}`, 'must be a list');
  if (list.length > GRANT_LIMITS.values)
    throw new GrantError(`${path}.${name}`, `has more than ${GRANT_LIMITS.values} elements`);
  return list as readonly unknown[];
}

function scalarOf(value: unknown, path: string): Scalar {
  if (!isScalar(value)) throw new GrantError(path, 'must be a text, a number, true, false or null');
  if (typeof value === 'string' && value.length > GRANT_LIMITS.text)
    throw new GrantError(path, `is longer than ${GRANT_LIMITS.text} characters`);
  return value;
}

function mapOf<T>(
  json: unknown,
  path: string,
  most: number,
  what: string,
  read: (value: unknown, path: string) => T,
): Readonly<Record<string, T>> {
  const entries = Object.entries(fieldsOf(json, path));
  if (entries.length > most) throw new GrantError(path, `has more than ${most} ${what}`);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const place = path === '' ? name : `${path}.${name}`;
      if (name === '' || name === '__proto__' || name.length > 256) throw new GrantError(place, 'is no name');
      return [name, read(value, place)];
    }),
  );
}

function fieldsOf(json: unknown, path: string): Fields {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Fields;
  throw new GrantError(path, 'must be an object');
}
