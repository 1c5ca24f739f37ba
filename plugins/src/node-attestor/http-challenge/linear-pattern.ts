import { type Node, parsePattern, type Step } from './parse-pattern.ts';

/** A regular expression that costs at most its own length for each character of the text, whoever wrote the text. */
export interface LinearPattern {
  /** Whether the whole text matches. */
  matches(text: string): boolean;
}

const MAX_STEPS = 2000;

/** @throws {SyntaxError} for what `parsePattern` does not understand, or is too long */
export function linearPattern(source: string): LinearPattern {
  const program: Step[] = [];
  append(program, parsePattern(source));
  return { matches: (text) => run(program, text) };
}

/** Writes steps that begin where they are appended and end where the next would be. */
function append(program: Step[], node: Node): void {
  if (program.length > MAX_STEPS) throw new SyntaxError(`the pattern needs more than ${MAX_STEPS} steps`);
  if (node.kind === 'step') program.push(node.step);
  else if (node.kind === 'all') for (const each of node.nodes) append(program, each);
  else if (node.kind === 'any') appendAny(program, node.nodes);
  else appendRepeat(program, node);
}

function appendAny(program: Step[], nodes: readonly Node[]): void {
  const [only, ...others] = nodes;
  if (only !== undefined && others.length === 0) return append(program, only);
  const fork = program.push({ goTo: [] }) - 1;
  const starts: number[] = [];
  const ends: number[] = [];
  for (const each of nodes) {
    starts.push(program.length);
    append(program, each);
    ends.push(program.push({ goTo: [] }) - 1);
  }
  program[fork] = { goTo: starts };
  for (const end of ends) program[end] = { goTo: [program.length] };
}

function appendRepeat(program: Step[], { node, min, max }: Extract<Node, { kind: 'repeat' }>): void {
  for (let count = 0; count < min; count++) append(program, node);
  const isEndless = max === Number.POSITIVE_INFINITY;
  for (let count = min; isEndless ? count === min : count < max; count++) {
    const fork = program.push({ goTo: [] }) - 1;
    append(program, node);
    if (isEndless) program.push({ goTo: [fork] });
    program[fork] = { goTo: [fork + 1, program.length] };
  }
}

/** Is at all places of the program at once that the text so far leads to. */
function run(program: readonly Step[], text: string): boolean {
  let places = new Set<number>();
  reach(program, [0], places, { isStart: true, isEnd: text === '' });
  for (let index = 0; index < text.length; index++) {
    const next: number[] = [];
    for (const place of places) {
      const step = program[place];
      if (step !== undefined && 'take' in step && step.take(text[index] ?? '')) next.push(place + 1);
    }
    places = new Set();
    reach(program, next, places, { isStart: false, isEnd: index === text.length - 1 });
  }
  return places.has(program.length);
}

function reach(
  program: readonly Step[],
  from: number[],
  places: Set<number>,
  edge: { readonly isStart: boolean; readonly isEnd: boolean },
): void {
  for (let place = from.pop(); place !== undefined; place = from.pop()) {
    if (places.has(place)) continue;
    places.add(place);
    const step = program[place];
    if (step === undefined || 'take' in step) continue;
    if ('goTo' in step) from.push(...step.goTo);
    else if (step.at === 'start' ? edge.isStart : edge.isEnd) from.push(place + 1);
  }
}
