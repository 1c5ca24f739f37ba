import { FUNCTIONS } from './functions.ts';
import type { Expression } from './syntax.ts';
import { TemplateError } from './template-error.ts';
import type { Token } from './tokens.ts';

const DEEPEST = 32;

/** Reads a pipeline such as `index .PodMeta.Labels "app" | lower`. @throws {TemplateError} */
export function parseExpression(tokens: readonly Token[], end: number): Expression {
  const reader = new Reader(tokens, end);
  const expression = reader.pipeline(0);
  reader.requireEnd();
  return expression;
}

class Reader {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  pipeline(depth: number): Expression {
    if (depth > DEEPEST) throw this.#unexpected('parentheses are nested too deeply');
    let value = this.#command(depth, undefined);
    while (this.#isSign('|')) {
      this.#next += 1;
      value = this.#command(depth, value);
    }
    return value;
  }

  requireEnd(): void {
    if (this.#next < this.#tokens.length) throw this.#unexpected();
  }

  /** A function with its arguments, or one value; what comes through a pipe is the last argument. */
  #command(depth: number, piped: Expression | undefined): Expression {
    const token = this.#tokens[this.#next];
    if (token?.kind === 'word') {
      this.#next += 1;
      if (!Object.hasOwn(FUNCTIONS, token.text)) {
        throw new TemplateError(`function "${token.text}" is not supported`, token.at);
      }
      const args: Expression[] = [];
      while (this.#startsOperand()) args.push(this.#operand(depth));
      if (piped !== undefined) args.push(piped);
      return { kind: 'call', name: token.text, args, at: token.at };
    }
    const value = this.#operand(depth);
    if (piped !== undefined) throw new TemplateError('what stands behind "|" must be a function', value.at);
    if (this.#startsOperand()) throw this.#unexpected('only a function takes arguments');
    return value;
  }

  #operand(depth: number): Expression {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw this.#unexpected('a value is missing');
    this.#next += 1;
    if (token.kind === 'literal') return { kind: 'literal', value: token.value, at: token.at };
    if (token.kind === 'chain') return fieldsOf({ kind: 'data', whole: false, at: token.at }, token.fields, token.at);
    if (token.kind === 'variable') {
      if (token.text !== '$') throw new TemplateError(`variables are not supported: ${token.text}`, token.at);
      return this.#tightFields({ kind: 'data', whole: true, at: token.at });
    }
    if (token.kind === 'sign' && token.text === '(') {
      const inner = this.pipeline(depth + 1);
      if (!this.#isSign(')')) throw this.#unexpected('")" is missing');
      this.#next += 1;
      return this.#tightFields(inner);
    }
    if (token.kind === 'word' && Object.hasOwn(FUNCTIONS, token.text)) {
      return { kind: 'call', name: token.text, args: [], at: token.at };
    }
    this.#next -= 1;
    throw this.#unexpected();
  }

  /** `$.X` and `(…).X`: a point that follows without a space. */
  #tightFields(of: Expression): Expression {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'chain' || !token.tight || token.fields.length === 0) return of;
    this.#next += 1;
    return fieldsOf(of, token.fields, token.at);
  }

  #startsOperand(): boolean {
    const token = this.#tokens[this.#next];
    return token !== undefined && (token.kind !== 'sign' || token.text === '(');
  }

  #isSign(text: string): boolean {
    const token = this.#tokens[this.#next];
    return token?.kind === 'sign' && token.text === text;
  }

  #unexpected(message?: string): TemplateError {
    const token = this.#tokens[this.#next];
    if (token === undefined) return new TemplateError(message ?? 'the action ends too early', this.#end);
    const found = 'text' in token ? `unexpected "${token.text}"` : 'unexpected value';
    return new TemplateError(message ?? found, token.at);
  }
}

const fieldsOf = (of: Expression, fields: readonly string[], at: number): Expression =>
  fields.reduce<Expression>((inner, name) => ({ kind: 'field', of: inner, name, at }), of);
