import { fieldsOf, fieldsRead } from './fields-read.ts';
import { printed } from './format-functions.ts';
import { FUNCTIONS } from './functions.ts';
import { GoStruct, type GoValue, isTrue, typeName } from './go-value.ts';
import { parseTemplate } from './parse-template.ts';
import type { Expression, Node } from './syntax.ts';
import { positionIn, TemplateError } from './template-error.ts';

/** What a rendered text may have: no name is longer. */
const LONGEST = 65_536;

/** A template of Go's text/template, of which names need a part: values, functions, pipes, `if`, `with`. */
export class Template {
  readonly name: string;
  readonly #source: string;
  readonly #nodes: readonly Node[];

  /** @throws {Error} with the template's name and the position of what is wrong */
  constructor(name: string, source: string) {
    this.name = name;
    this.#source = source;
    this.#nodes = this.#placed(() => parseTemplate(source));
  }

  /** The fields of the data that it reads, each as its names from the top; what `with` makes the point is not followed. */
  get fields(): readonly (readonly string[])[] {
    return fieldsRead(this.#nodes);
  }

  /**
   * `look` sees each value that is printed, with the fields of the point that it was made from; what it throws ends all.
   *
   * @throws {Error} with the template's name and the position of what has no value
   */
  render(data: GoStruct, look?: Look): string {
    return this.#placed(() => {
      const text = renderNodes(this.#nodes, data, data, look);
      if (text.length > LONGEST) throw new TemplateError(`renders more than ${LONGEST} characters`, 0);
      return text;
    });
  }

  #placed<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (!(cause instanceof TemplateError)) throw cause;
      const place = positionIn(this.#source, cause.offset);
      throw new Error(`template ${this.name} at ${place}: ${cause.message}`, { cause });
    }
  }
}

type Look = (text: string, fields: readonly (readonly string[])[]) => void;

const renderNodes = (nodes: readonly Node[], point: GoValue, whole: GoStruct, look: Look | undefined): string => {
  let text = '';
  for (const node of nodes) {
    if (node.kind === 'text') text += node.text;
    else if (node.kind === 'print') {
      const value = at(node.value, () => printed(valueOf(node.value, point, whole)));
      look?.(value, fieldsOf(node.value));
      text += value;
    } else {
      const condition = valueOf(node.condition, point, whole);
      const isHeld = isTrue(condition);
      const inner = node.kind === 'with' && isHeld ? condition : point;
      text += renderNodes(isHeld ? node.holds : node.otherwise, inner, whole, look);
    }
  }
  return text;
};

const valueOf = (expression: Expression, point: GoValue, whole: GoStruct): GoValue => {
  if (expression.kind === 'literal') return expression.value;
  if (expression.kind === 'data') return expression.whole ? whole : point;
  if (expression.kind === 'field') {
    return fieldOf(valueOf(expression.of, point, whole), expression.name, expression.at);
  }
  const { name, args } = expression;
  if (name === 'and' || name === 'or') return stopEarly(name, expression, point, whole);
  const values = args.map((arg) => valueOf(arg, point, whole));
  return at(expression, () => FUNCTIONS[name]?.(values), `${name}: `);
};

/** `and` does not look behind the first false, `or` not behind the first true. */
const stopEarly = (
  name: 'and' | 'or',
  { args, at: offset }: Extract<Expression, { kind: 'call' }>,
  point: GoValue,
  whole: GoStruct,
): GoValue => {
  if (args.length === 0) throw new TemplateError(`${name}: takes at least 1 argument`, offset);
  let value: GoValue;
  for (const arg of args) {
    value = valueOf(arg, point, whole);
    if (isTrue(value) === (name === 'or')) return value;
  }
  return value;
};

const fieldOf = (of: GoValue, name: string, offset: number): GoValue => {
  if (of instanceof Map) return of.get(name);
  if (!(of instanceof GoStruct)) throw new TemplateError(`${typeName(of)} has no field "${name}"`, offset);
  const field = of.get(name);
  if (field === undefined) throw new TemplateError(`there is no "${name}" in ${of.type.name}`, offset);
  return field.value;
};

const at = <T>(expression: Expression, work: () => T, prefix = ''): T => {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof TemplateError) throw cause;
    throw new TemplateError(`${prefix}${(cause as Error).message}`, expression.at);
  }
};
