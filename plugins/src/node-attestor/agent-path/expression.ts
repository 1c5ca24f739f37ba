/** What stands between `{{` and `}}`: values, and functions of values. */
export type Expression =
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'literal'; readonly value: TemplateValue }
  | { readonly kind: 'call'; readonly name: string; readonly inputs: readonly Expression[] };

export type TemplateValue =
  | string
  | bigint
  | readonly TemplateValue[]
  | { readonly [name: string]: TemplateValue | undefined };

type Token = { readonly kind: 'field' | 'word' | 'text' | 'number' | 'mark'; readonly text: string };

const TOKEN =
  /\s*(?:(?<field>(?:\.[A-Za-z_]\w*)+)|(?<word>[A-Za-z_]\w*)|(?<number>-?\d+)|(?<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?<mark>[|()]))/y;

/**
 * Reads a pipeline of Go's templates: `.Field`, `"text"`, numbers, `function value…`, `value | function`, parentheses.
 *
 * @throws {RangeError} that says what is not understood
 */
export function parseExpression(source: string): Expression {
  const tokens = tokensOf(source.trim());
  let at = 0;
  const peek = (): Token | undefined => tokens[at];
  const isMark = (text: string): boolean => peek()?.kind === 'mark' && peek()?.text === text;

  const operand = (): Expression => {
    const token = peek();
    at += 1;
    if (token?.kind === 'field') return { kind: 'field', path: token.text.slice(1).split('.') };
    if (token?.kind === 'number') return { kind: 'literal', value: BigInt(token.text) };
    if (token?.kind === 'text') return { kind: 'literal', value: textOf(token.text) };
    if (token?.kind === 'word') return { kind: 'call', name: token.text, inputs: [] };
    if (token?.text !== '(') throw new RangeError(`a value is missing in "${source}"`);
    const inner = pipeline();
    if (!isMark(')')) throw new RangeError(`a ")" is missing in "${source}"`);
    at += 1;
    return inner;
  };
  const command = (piped?: Expression): Expression => {
    const isCall = peek()?.kind === 'word';
    const first = operand();
    const inputs: Expression[] = [];
    while (peek() !== undefined && !isMark('|') && !isMark(')')) inputs.push(operand());
    if (piped !== undefined) inputs.push(piped);
    if (isCall && first.kind === 'call') return { ...first, inputs };
    if (inputs.length > 0) throw new RangeError(`something that is no function has inputs in "${source}"`);
    return first;
  };
  const pipeline = (): Expression => {
    let value = command();
    while (isMark('|')) {
      at += 1;
      value = command(value);
    }
    return value;
  };

  const whole = pipeline();
  if (at < tokens.length) throw new RangeError(`a "(" is missing in "${source}"`);
  return whole;
}

/** Every field that an expression reads. */
export function fieldsOf(expression: Expression): readonly (readonly string[])[] {
  if (expression.kind === 'field') return [expression.path];
  return expression.kind === 'call' ? expression.inputs.flatMap(fieldsOf) : [];
}

/** Every function that an expression calls. */
export function functionsOf(expression: Expression): readonly string[] {
  return expression.kind === 'call' ? [expression.name, ...expression.inputs.flatMap(functionsOf)] : [];
}

function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let end = 0;
  while (end < source.length) {
    TOKEN.lastIndex = end;
    const match = TOKEN.exec(source);
    const found = Object.entries(match?.groups ?? {}).find(([, text]) => text !== undefined);
    if (found === undefined) throw new RangeError(`"${source.slice(end)}" is not understood`);
    tokens.push({ kind: found[0] as Token['kind'], text: found[1] ?? '' });
    end = TOKEN.lastIndex;
  }
  return tokens;
}

function textOf(token: string): string {
  if (token.startsWith('`')) return token.slice(1, -1);
  try {
    return JSON.parse(token) as string;
  } catch {
    throw new RangeError(`the text ${token} has an escape that is not understood`);
  }
}
