import { IssuerError } from '@steeple/core';
import { SpiffeError, SpiffeId, type TrustDomain } from '@steeple/spiffe';
import {
  type Expression,
  fieldsOf,
  functionsOf,
  parseExpression,
  type TemplateValue,
} from './agent-path/expression.ts';
import { applyFunction, functionNames, isFunction, textOf, UnfitValue } from './agent-path/functions.ts';

/**
 * What a template may name: `text` (also numbers, and lists of texts), `path` (text in which slashes are meant), `map` for
 * texts by name, or more of them below.
 */
export type TemplateFields = { readonly [name: string]: 'text' | 'path' | 'map' | TemplateFields };

/** The values, in the form of the fields. One that is undefined or empty makes no path. */
export type TemplateFacts = { readonly [name: string]: TemplateValue | undefined };

type Part = string | { readonly expression: Expression; readonly mayHaveSlashes: boolean };

const ACTION = /\{\{(?<left>- )?(?<body>.*?)(?<right> -)?\}\}/gs;

/** A path of agents below `/spire/agent/`, with facts of the node in `{{ .Field }}`: the part of Go's templates that has a use. */
export class AgentPathTemplate {
  readonly #parts: readonly Part[];

  /** @throws {RangeError} for a field or function that does not exist; the message names those that do. */
  constructor(template: string, fields: TemplateFields) {
    const parts: Part[] = [];
    let end = 0;
    for (const match of template.matchAll(ACTION)) {
      parts.push(template.slice(end, match.index), actionOf(match.groups?.['body'] ?? '', fields));
      end = match.index + match[0].length;
    }
    parts.push(template.slice(end));
    if (parts.some((part) => typeof part === 'string' && /\{\{|\}\}/.test(part))) {
      throw new RangeError('a "{{" or "}}" without its other half');
    }
    this.#parts = parts;
  }

  /**
   * The agent's SPIFFE ID. `what` makes the facts, such as "the certificate".
   *
   * @throws {IssuerError} `permission-denied` if a value is missing, holds a slash (it would reach into other paths), or
   *   makes no path.
   */
  agentId(trustDomain: TrustDomain, facts: TemplateFacts, what: string): SpiffeId {
    const path = this.#parts.map((part) => (typeof part === 'string' ? part : valueOf(part, facts, what))).join('');
    try {
      return SpiffeId.of(trustDomain, `/spire/agent/${path.replace(/^\//, '')}`);
    } catch (cause) {
      if (!(cause instanceof SpiffeError)) throw cause;
      throw new IssuerError('permission-denied', `${what} makes no valid agent path`, { cause });
    }
  }
}

function actionOf(source: string, fields: TemplateFields): Part {
  const expression = parseExpression(source);
  const kinds = fieldsOf(expression).map((path) => kindOf(path, fields));
  for (const name of functionsOf(expression)) {
    if (!isFunction(name)) throw new RangeError(`no function "${name}"; there are ${functionNames().join(', ')}`);
  }
  return { expression, mayHaveSlashes: kinds.every((kind) => kind === 'path') };
}

function kindOf(path: readonly string[], fields: TemplateFields): 'text' | 'path' | 'map' {
  let at: TemplateFields[string] | undefined = fields;
  for (const [depth, name] of path.entries()) {
    if (at === 'map' && depth === path.length - 1) return 'text';
    at = typeof at === 'object' && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  if (typeof at === 'string') return at;
  throw new RangeError(`unknown field ".${path.join('.')}"; there are ${namesOf(fields).join(', ')}`);
}

function namesOf(fields: TemplateFields, above = ''): readonly string[] {
  return Object.entries(fields).flatMap(([name, kind]) => {
    if (typeof kind === 'object') return namesOf(kind, `${above}.${name}`);
    return [`${above}.${name}${kind === 'map' ? '.<key>' : ''}`];
  });
}

function valueOf({ expression, mayHaveSlashes }: Exclude<Part, string>, facts: TemplateFacts, what: string): string {
  let text: string;
  try {
    text = textOf(evaluate(expression, facts));
  } catch (cause) {
    if (!(cause instanceof UnfitValue)) throw cause;
    throw new IssuerError('permission-denied', `${what} lacks a value for the agent path: ${cause.message}`, { cause });
  }
  if (text !== '' && (mayHaveSlashes || !text.includes('/'))) return text;
  throw new IssuerError('permission-denied', `${what} lacks a value for the agent path: it is empty or has a slash`);
}

function evaluate(expression: Expression, facts: TemplateFacts): TemplateValue | undefined {
  if (expression.kind === 'literal') return expression.value;
  if (expression.kind === 'field') return memberOf(facts, expression.path);
  return applyFunction(
    expression.name,
    expression.inputs.map((input) => evaluate(input, facts)),
  );
}

function memberOf(facts: TemplateFacts, path: readonly string[]): TemplateValue | undefined {
  let at: TemplateValue | undefined = facts;
  for (const name of path) {
    at =
      typeof at === 'object' && !Array.isArray(at) && Object.hasOwn(at, name) ? (at as TemplateFacts)[name] : undefined;
  }
  return at;
}
