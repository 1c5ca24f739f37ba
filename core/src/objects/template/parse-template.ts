import { parseExpression } from './parse-expression.ts';
import type { Node } from './syntax.ts';
import { TemplateError } from './template-error.ts';
import { type Piece, splitTemplate, type Token } from './tokens.ts';

const LONGEST = 16_384;
const DEEPEST = 32;
const NOT_SUPPORTED = new Set(['range', 'define', 'template', 'block', 'break', 'continue']);

type Action = Extract<Piece, { kind: 'action' }>;

/** The tree of a template: text, values, `if` and `with`. @throws {TemplateError} for everything else */
export function parseTemplate(source: string): readonly Node[] {
  if (source.length > LONGEST) throw new TemplateError(`a template has at most ${LONGEST} characters`, 0);
  const pieces = splitTemplate(source);
  const reader = { pieces, next: 0 };
  const nodes = readNodes(reader, 0, undefined);
  const left = pieces[reader.next];
  if (left?.kind === 'action') throw new TemplateError(`unexpected "${wordOf(left)}"`, left.at);
  return nodes;
}

interface Reader {
  readonly pieces: readonly Piece[];
  next: number;
}

/** Up to an `else` or `end`, which is left for the caller. */
function readNodes(reader: Reader, depth: number, opened: Action | undefined): readonly Node[] {
  if (depth > DEEPEST) throw new TemplateError('"if" and "with" are nested too deeply', opened?.at ?? 0);
  const nodes: Node[] = [];
  for (;;) {
    const piece = reader.pieces[reader.next];
    if (piece === undefined) {
      if (opened) throw new TemplateError(`"${wordOf(opened)}" has no "end"`, opened.at);
      return nodes;
    }
    if (piece.kind === 'action' && (wordOf(piece) === 'end' || wordOf(piece) === 'else')) return nodes;
    reader.next += 1;
    if (piece.kind === 'text') nodes.push(piece);
    else nodes.push(readAction(reader, piece, depth));
  }
}

function readAction(reader: Reader, action: Action, depth: number): Node {
  const word = wordOf(action);
  if (word === 'if' || word === 'with') return readBranch(reader, action, word, action.tokens.slice(1), depth);
  if (NOT_SUPPORTED.has(word)) throw new TemplateError(`"${word}" is not supported`, action.at);
  const assignment = action.tokens.find((token) => token.kind === 'sign' && /^:?=$/.test(token.text));
  if (assignment) throw new TemplateError('variables are not supported', assignment.at);
  return { kind: 'print', value: parseExpression(action.tokens, action.at) };
}

function readBranch(
  reader: Reader,
  action: Action,
  kind: 'if' | 'with',
  condition: readonly Token[],
  depth: number,
): Node {
  const parts = { kind, condition: parseExpression(condition, action.at) };
  const holds = readNodes(reader, depth + 1, action);
  const closing = reader.pieces[reader.next] as Action;
  reader.next += 1;
  if (wordOf(closing) === 'end') return { ...parts, holds, otherwise: [] };
  const [, again] = closing.tokens;
  if (again?.kind === 'word' && (again.text === 'if' || again.text === 'with')) {
    return {
      ...parts,
      holds,
      otherwise: [readBranch(reader, closing, again.text, closing.tokens.slice(2), depth + 1)],
    };
  }
  const otherwise = readNodes(reader, depth + 1, action);
  const end = reader.pieces[reader.next] as Action;
  if (wordOf(end) !== 'end') throw new TemplateError('a second "else"', end.at);
  reader.next += 1;
  return { ...parts, holds, otherwise };
}

const wordOf = ({ tokens: [first] }: Action): string => (first?.kind === 'word' ? first.text : '');
