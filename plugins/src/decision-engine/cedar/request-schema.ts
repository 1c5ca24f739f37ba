import type { AttributesOrContext, SchemaJson, Type } from '@cedar-policy/cedar-wasm/nodejs';
import { type DecisionRequest, EntityRef, type PolicyValue } from '../decision-engine.ts';
import { NotCompiled } from './compile-expression.ts';
import { isRecord, isSet, memberOf, sameEntity } from './value.ts';

/** Tells what is wrong with a value, or nothing. */
type Check = (value: PolicyValue, path: string) => string | undefined;

interface ActionRule {
  readonly ref: EntityRef;
  readonly principals: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
  readonly context: Check;
  readonly parents: readonly EntityRef[];
}

interface EntityRule {
  readonly attrs: Check;
  readonly parents: ReadonlySet<string>;
}

/**
 * What the schema says a request must look like. Each request is held against it: a policy that looks for something that is
 * not there would be passed over, and it might be the one that forbids.
 */
export class RequestSchema {
  readonly #actions = new Map<string, ActionRule>();
  readonly #entities = new Map<string, EntityRule>();

  /** @throws {NotCompiled} */
  constructor(schema: SchemaJson<string>) {
    const namespaces = Object.entries(schema);
    const [namespace, definition] = namespaces[0] ?? [];
    if (namespace === undefined || definition === undefined || namespaces.length > 1)
      throw new NotCompiled('several namespaces');
    const qualified = (name: string): string => (namespace === '' ? name : `${namespace}::${name}`);
    const common = new Map(Object.entries(definition.commonTypes ?? {}).map(([name, type]) => [qualified(name), type]));
    const compile = compiler(common);
    for (const [name, entity] of Object.entries(definition.entityTypes)) {
      if ('enum' in entity || entity.tags !== undefined) throw new NotCompiled('entities with tags or a list of ids');
      this.#entities.set(qualified(name), {
        attrs: compile(entity.shape ?? NOTHING),
        parents: new Set(entity.memberOfTypes),
      });
    }
    for (const [id, action] of Object.entries(definition.actions)) {
      const { principalTypes, resourceTypes, context } = action.appliesTo ?? { principalTypes: [], resourceTypes: [] };
      this.#actions.set(id, {
        ref: new EntityRef(qualified('Action'), id),
        principals: new Set(principalTypes),
        resources: new Set(resourceTypes),
        context: compile(context ?? NOTHING),
        parents: (action.memberOf ?? []).map((parent) => new EntityRef(parent.type ?? qualified('Action'), parent.id)),
      });
    }
  }

  get actions(): readonly EntityRef[] {
    return [...this.#actions.values()].map(({ ref }) => ref);
  }

  action(id: string): EntityRef | undefined {
    return this.#actions.get(id)?.ref;
  }

  isActionIn(action: EntityRef, group: EntityRef): boolean {
    if (sameEntity(action, group)) return true;
    const parents = this.#actions.get(action.id)?.parents ?? [];
    return parents.some((parent) => this.isActionIn(parent, group));
  }

  /** What is wrong with a request, or nothing. */
  problemOf({ principal, action, resource, context, entities }: DecisionRequest): string | undefined {
    const rule = this.#actions.get(action);
    if (rule === undefined) return `there is no action ${action}`;
    if (!rule.principals.has(principal.type)) return `${principal.type} is no principal of ${action}`;
    if (!rule.resources.has(resource.type)) return `${resource.type} is no resource of ${action}`;
    return rule.context(context, 'context') ?? first(entities, (each) => this.#problemOfEntity(each));
  }

  #problemOfEntity({ ref, attrs, parents }: DecisionRequest['entities'][number]): string | undefined {
    const rule = this.#entities.get(ref.type);
    if (rule === undefined) return `there are no entities of type ${ref.type}`;
    const stranger = parents.find(({ type }) => !rule.parents.has(type));
    if (stranger !== undefined) return `${ref.type} cannot be in ${stranger.type}`;
    return rule.attrs(attrs, ref.type);
  }
}

const NOTHING: AttributesOrContext<string> = { type: 'Record', attributes: {} };

function compiler(common: ReadonlyMap<string, Type<string>>): (type: Type<string>) => Check {
  const compile = (type: Type<string>): Check => {
    const { type: kind } = type;
    switch (kind) {
      case 'Boolean':
      case 'Bool':
        return (value, path) => (typeof value === 'boolean' ? undefined : `${path} is no Boolean`);
      case 'Long':
        return (value, path) => (Number.isSafeInteger(value) ? undefined : `${path} is no whole number`);
      case 'String':
        return (value, path) => (typeof value === 'string' ? undefined : `${path} is no text`);
      case 'Set': {
        const element = compile((type as { element: Type<string> }).element);
        return (value, path) =>
          isSet(value) ? first(value, (each) => element(each, `${path}[]`)) : `${path} is no set`;
      }
      case 'Record':
        return compileRecord(type as RecordShape, compile);
      case 'Entity': {
        const { name } = type as { name: string };
        return (value, path) =>
          value instanceof EntityRef && value.type === name ? undefined : `${path} is no ${name}`;
      }
      default: {
        const named = common.get(kind);
        if (named === undefined) throw new NotCompiled(`the type ${kind}`);
        return compile(named);
      }
    }
  };
  return compile;
}

interface RecordShape {
  readonly attributes: Readonly<Record<string, Type<string> & { readonly required?: boolean }>>;
  readonly additionalAttributes?: boolean;
}

function compileRecord(
  { attributes, additionalAttributes }: RecordShape,
  compile: (type: Type<string>) => Check,
): Check {
  if (additionalAttributes === true) throw new NotCompiled('an open record');
  const members = Object.entries(attributes).map(([name, type]) => ({
    name,
    check: compile(type),
    required: type.required ?? true,
  }));
  const names = new Set(Object.keys(attributes));
  return (value, path) => {
    if (!isRecord(value)) return `${path} is no record`;
    for (const name of Object.keys(value)) if (!names.has(name)) return `${path}.${name} is not in the schema`;
    return first(members, ({ name, check, required }) => {
      const member = memberOf(value, name);
      if (member !== undefined) return check(member, `${path}.${name}`);
      return required ? `${path}.${name} is missing` : undefined;
    });
  };
}

function first<T>(list: readonly T[], problemOf: (each: T) => string | undefined): string | undefined {
  for (const each of list) {
    const problem = problemOf(each);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
