import { type FieldKind, GoStruct, IssuerError, type StructType, Template } from '@steeple/core';
import { SpiffeError, SpiffeId, type TrustDomain } from '@steeple/spiffe';

/**
 * What a template may name: `text` (also numbers, and lists of texts), `path` (text in which slashes are meant), `map` for
 * texts by name, or more of them below.
 */
export type TemplateFields = { readonly [name: string]: 'text' | 'path' | 'map' | TemplateFields };

/** The values, in the form of the fields. One that is undefined or empty makes no path. */
export type TemplateFacts = { readonly [name: string]: TemplateFact };
type TemplateFact = string | bigint | readonly string[] | TemplateFacts | undefined;

const NAME = 'agent_path_template';

/** A path of agents below `/spire/agent/`, with facts of the node in `{{ .Field }}`: the part of Go's templates that has a use. */
export class AgentPathTemplate {
  readonly #template: Template;
  readonly #fields: TemplateFields;

  /** @throws {RangeError} for a field or function that does not exist */
  constructor(template: string, fields: TemplateFields) {
    this.#fields = fields;
    try {
      this.#template = new Template(NAME, template);
    } catch (cause) {
      throw new RangeError((cause as Error).message, { cause });
    }
    for (const path of this.#template.fields) requireField(path, fields);
  }

  /**
   * The agent's SPIFFE ID. `what` makes the facts, such as "the certificate".
   *
   * @throws {IssuerError} `permission-denied` if a value is missing, holds a slash (it would reach into other paths), or
   *   makes no path.
   */
  agentId(trustDomain: TrustDomain, facts: TemplateFacts, what: string): SpiffeId {
    const path = this.#render(facts, what);
    try {
      return SpiffeId.of(trustDomain, `/spire/agent/${path.replace(/^\//, '')}`);
    } catch (cause) {
      if (!(cause instanceof SpiffeError)) throw cause;
      throw new IssuerError('permission-denied', `${what} makes no valid agent path`, { cause });
    }
  }

  #render(facts: TemplateFacts, what: string): string {
    try {
      return this.#template.render(structOf(this.#fields, facts), (text, read) => {
        const isPath = read.every((path) => path.length > 0 && kindOf(path, this.#fields) === 'path');
        if (text === '') throw new Error('it is empty');
        if (text.includes('/') && !isPath) throw new Error('it has a slash');
      });
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new IssuerError('permission-denied', `${what} lacks a value for the agent path: ${reason}`, { cause });
    }
  }
}

function requireField(path: readonly string[], fields: TemplateFields): void {
  if (path.length > 0 && kindOf(path, fields) !== undefined) return;
  throw new RangeError(`unknown field ".${path.join('.')}"; there are ${namesOf(fields).join(', ')}`);
}

function kindOf(path: readonly string[], fields: TemplateFields): 'text' | 'path' | 'map' | undefined {
  let at: TemplateFields[string] | undefined = fields;
  for (const [depth, name] of path.entries()) {
    if (at === 'map' && depth === path.length - 1) return 'text';
    at = typeof at === 'object' && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return typeof at === 'string' ? at : undefined;
}

function namesOf(fields: TemplateFields, above = ''): readonly string[] {
  return Object.entries(fields).flatMap(([name, kind]) => {
    if (typeof kind === 'object') return namesOf(kind, `${above}.${name}`);
    return [`${above}.${name}${kind === 'map' ? '.<key>' : ''}`];
  });
}

/** The facts as the template's data. */
function structOf(fields: TemplateFields, facts: TemplateFacts): GoStruct {
  return new GoStruct(typeOf(fields, facts), printable(facts));
}

function typeOf(fields: TemplateFields, facts: TemplateFacts | undefined): StructType {
  const kinds = Object.entries(fields).map(([name, kind]): [string, readonly [string, FieldKind]] => {
    const fact = facts !== undefined && Object.hasOwn(facts, name) ? facts[name] : undefined;
    if (typeof kind === 'object') return [name, [name, typeOf(kind, isFacts(fact) ? fact : undefined)]];
    if (kind === 'map') return [name, [name, 'map']];
    return [name, [name, Array.isArray(fact) ? 'texts' : 'text']];
  });
  return { name: 'the facts of a node', fields: Object.fromEntries(kinds) };
}

function printable(facts: TemplateFacts): Readonly<Record<string, unknown>> {
  const texts = Object.entries(facts).map(([name, fact]) => {
    if (typeof fact === 'bigint') return [name, fact.toString()];
    return [name, isFacts(fact) ? printable(fact) : fact];
  });
  return Object.fromEntries(texts) as Readonly<Record<string, unknown>>;
}

function isFacts(fact: TemplateFact): fact is TemplateFacts {
  return typeof fact === 'object' && !Array.isArray(fact);
}
