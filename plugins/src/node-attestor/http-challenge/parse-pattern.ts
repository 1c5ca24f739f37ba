type CharacterTest = (character: string) => boolean;

/** One step of a program: take a character, go on at several places, or be at an edge of the text. */
export type Step =
  | { readonly take: CharacterTest }
  | { readonly goTo: readonly number[] }
  | { readonly at: 'start' | 'end' };

export type Node =
  | { readonly kind: 'step'; readonly step: Exclude<Step, { goTo: unknown }> }
  | { readonly kind: 'all'; readonly nodes: readonly Node[] }
  | { readonly kind: 'any'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number };

const MAX_REPEAT = 1000;
const MAX_DEPTH = 50;

const isDigit: CharacterTest = (c) => c >= '0' && c <= '9';
const isLower: CharacterTest = (c) => c >= 'a' && c <= 'z';
const isUpper: CharacterTest = (c) => c >= 'A' && c <= 'Z';
const isWord: CharacterTest = (c) => isDigit(c) || isLower(c) || isUpper(c) || c === '_';
const isSpace: CharacterTest = (c) => ' \t\n\f\r'.includes(c);
const not =
  (test: CharacterTest): CharacterTest =>
  (c) =>
    !test(c);
const CLASSES: Readonly<Record<string, CharacterTest>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
};
const POSIX: Readonly<Record<string, CharacterTest>> = {
  alnum: (c) => isDigit(c) || isLower(c) || isUpper(c),
  alpha: (c) => isLower(c) || isUpper(c),
  digit: isDigit,
  lower: isLower,
  upper: isUpper,
  word: isWord,
};

/**
 * The part of RE2's syntax that needs no memory: characters, classes, groups, `|`, repetition, `^`, `$`, and `(?i)` at the
 * start. There is nothing to capture, and greed makes no difference.
 *
 * @throws {SyntaxError} for anything else
 */
export function parsePattern(source: string): Node {
  const ignoresCase = source.startsWith('(?i)');
  return new Parser(ignoresCase ? source.slice(4) : source, ignoresCase).parse();
}

class Parser {
  readonly #source: string;
  readonly #ignoresCase: boolean;
  #at = 0;
  #depth = 0;

  constructor(source: string, ignoresCase: boolean) {
    this.#source = source;
    this.#ignoresCase = ignoresCase;
  }

  parse(): Node {
    const node = this.#alternatives();
    if (this.#at < this.#source.length) throw this.#wrong('a ")" without "("');
    return node;
  }

  #alternatives(): Node {
    const nodes = [this.#sequence()];
    while (this.#skip('|')) nodes.push(this.#sequence());
    return { kind: 'any', nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#at < this.#source.length && !/[|)]/.test(this.#peek())) nodes.push(this.#repeated(this.#atom()));
    return { kind: 'all', nodes };
  }

  #repeated(node: Node): Node {
    const [min, max] = this.#quantifier() ?? [1, 1];
    if (min === 1 && max === 1) return node;
    this.#skip('?');
    if (/[*+?]/.test(this.#peek())) throw this.#wrong('a repetition of a repetition');
    return { kind: 'repeat', node, min, max };
  }

  #quantifier(): readonly [min: number, max: number] | undefined {
    if (this.#skip('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#skip('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#skip('?')) return [0, 1];
    const [whole, low = '', comma, high = ''] = /^\{(\d+)(,(\d*))?\}/.exec(this.#source.slice(this.#at)) ?? [];
    if (whole === undefined) return undefined;
    this.#at += whole.length;
    const min = Number(low);
    const max = comma === undefined ? min : high === '' ? Number.POSITIVE_INFINITY : Number(high);
    if (min > max || min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY)) {
      throw this.#wrong(`the repetition ${whole}`);
    }
    return [min, max];
  }

  #atom(): Node {
    if (this.#skip('(')) return this.#group();
    if (this.#skip('[')) return this.#take(this.#class());
    if (this.#skip('^')) return { kind: 'step', step: { at: 'start' } };
    if (this.#skip('$')) return { kind: 'step', step: { at: 'end' } };
    if (this.#skip('.')) return this.#take((c) => c !== '\n');
    if (this.#skip('\\')) return this.#take(this.#escape());
    const character = this.#next();
    if (/[*+?{]/.test(character)) throw this.#wrong(`a "${character}" that repeats nothing`);
    return this.#take(this.#equal(character));
  }

  #group(): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#wrong('groups that deep');
    const [kind = ''] = /^\?(?::|P?<[A-Za-z_]\w*>)/.exec(this.#source.slice(this.#at)) ?? [];
    this.#at += kind.length;
    const node = this.#alternatives();
    if (!this.#skip(')')) throw this.#wrong('a "(" without ")"');
    this.#depth -= 1;
    return node;
  }

  #class(): CharacterTest {
    const isNegated = this.#skip('^');
    const tests: CharacterTest[] = [];
    do tests.push(this.#member());
    while (this.#peek() !== ']');
    this.#at += 1;
    const test: CharacterTest = (c) => tests.some((each) => each(c));
    return isNegated ? not(test) : test;
  }

  #member(): CharacterTest {
    const [posix, name = ''] = /^\[:(\w+):\]/.exec(this.#source.slice(this.#at)) ?? [];
    if (posix !== undefined) {
      this.#at += posix.length;
      return Object.hasOwn(POSIX, name) ? (POSIX[name] as CharacterTest) : this.#fail(`the class ${posix}`);
    }
    if (this.#peek() === '\\' && /[dDwWsS]/.test(this.#source[this.#at + 1] ?? '')) {
      this.#at += 1;
      return this.#escape();
    }
    const first = this.#single();
    if (!/^-[^\]]/.test(this.#source.slice(this.#at))) return this.#equal(first);
    this.#at += 1;
    const last = this.#single();
    if (first > last) throw this.#wrong(`the range ${first}-${last}`);
    const within: CharacterTest = (c) => first <= c && c <= last;
    return this.#ignoresCase ? (c) => within(c.toLowerCase()) || within(c.toUpperCase()) : within;
  }

  #single(): string {
    const character = this.#next();
    return character === '\\' ? this.#literal() : character;
  }

  #escape(): CharacterTest {
    const found = Object.hasOwn(CLASSES, this.#peek()) ? CLASSES[this.#peek()] : undefined;
    if (found === undefined) return this.#equal(this.#literal());
    this.#at += 1;
    return found;
  }

  #literal(): string {
    const character = this.#next();
    if (/[A-Za-z0-9]/.test(character)) throw this.#wrong(`"\\${character}"`);
    return character;
  }

  #equal(character: string): CharacterTest {
    if (!this.#ignoresCase) return (c) => c === character;
    return (c) => c.toLowerCase() === character.toLowerCase();
  }

  #take(take: CharacterTest): Node {
    return { kind: 'step', step: { take } };
  }

  #peek(): string {
    return this.#source[this.#at] ?? '';
  }

  #next(): string {
    const character = this.#peek();
    if (character === '') throw this.#wrong('an end in the middle');
    this.#at += 1;
    return character;
  }

  #skip(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  #fail(what: string): never {
    throw this.#wrong(what);
  }

  #wrong(what: string): SyntaxError {
    return new SyntaxError(`${JSON.stringify(this.#source)} has ${what}, which is not understood`);
  }
}
