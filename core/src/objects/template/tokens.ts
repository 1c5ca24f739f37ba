import { TemplateError } from './template-error.ts';

/** One word of an action. `chain` are the fields behind a point, such as `.PodMeta.Name`; empty for the point alone. */
export type Token = { readonly at: number; readonly tight: boolean } & (
  | { readonly kind: 'word' | 'variable' | 'sign'; readonly text: string }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'chain'; readonly fields: readonly string[] }
);

/** A stretch of a template: text to copy, or the words between `{{` and `}}`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly at: number; readonly tokens: readonly Token[] };

const COMMENT = /^(?:-\s)?\/\*[\s\S]*?\*\/(?:\s-)?}}/;

/** Splits a template into text and actions, with the markers `{{-` and `-}}` applied. @throws {TemplateError} */
export function splitTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    let text = source.slice(at, open < 0 ? source.length : open);
    if (trimNext) text = text.trimStart();
    if (open < 0) {
      pieces.push({ kind: 'text', text });
      return pieces;
    }
    const trimsBefore = /^-\s/.test(source.slice(open + 2, open + 4));
    pieces.push({ kind: 'text', text: trimsBefore ? text.trimEnd() : text });
    const comment = COMMENT.exec(source.slice(open + 2));
    if (comment !== null) {
      at = open + 2 + comment[0].length;
      trimNext = comment[0].endsWith('-}}');
      continue;
    }
    const action = readAction(source, open + (trimsBefore ? 3 : 2), open);
    pieces.push({ kind: 'action', at: open, tokens: action.tokens });
    at = action.end;
    trimNext = action.trimsAfter;
  }
  return pieces;
}

const PATTERNS: readonly (readonly [RegExp, (text: string, at: number) => Token])[] = [
  [/"(?:[^"\\\n]|\\.)*"/y, (text, at) => ({ kind: 'literal', value: unquote(text, at), ...place(at) })],
  [/`[^`]*`/y, (text, at) => ({ kind: 'literal', value: text.slice(1, -1), ...place(at) })],
  [/[+-]?[0-9]+(?![0-9A-Za-z_.])/y, (text, at) => ({ kind: 'literal', value: Number(text), ...place(at) })],
  [/(?:\.[A-Za-z_]\w*)+|\./y, (text, at) => ({ kind: 'chain', fields: text.split('.').filter(Boolean), ...place(at) })],
  [/\$\w*/y, (text, at) => ({ kind: 'variable', text, ...place(at) })],
  [
    /[A-Za-z_]\w*/y,
    (text, at) =>
      text === 'true' || text === 'false'
        ? { kind: 'literal', value: text === 'true', ...place(at) }
        : { kind: 'word', text, ...place(at) },
  ],
  [/:=|[|()=,]/y, (text, at) => ({ kind: 'sign', text, ...place(at) })],
];

const place = (at: number) => ({ at, tight: false });

function readAction(
  source: string,
  start: number,
  open: number,
): { tokens: readonly Token[]; end: number; trimsAfter: boolean } {
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const space = /\s*/y;
    space.lastIndex = at;
    const before = at;
    at += space.exec(source)?.[0].length ?? 0;
    if (source.startsWith('}}', at)) return { tokens, end: at + 2, trimsAfter: false };
    if (at > before && source.startsWith('-}}', at)) return { tokens, end: at + 3, trimsAfter: true };
    if (at >= source.length) throw new TemplateError('an action is not closed: "}}" is missing', open);
    const [token, length] = readToken(source, at);
    tokens.push({ ...token, tight: at === before && tokens.length > 0 });
    at += length;
  }
}

function readToken(source: string, at: number): [Token, number] {
  for (const [pattern, make] of PATTERNS) {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found !== null) return [make(found[0], at), found[0].length];
  }
  throw new TemplateError(`unexpected ${JSON.stringify(source.slice(at, at + 1))}`, at);
}

function unquote(text: string, at: number): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new TemplateError('a text in quotes with an escape that is not supported', at);
  }
}
