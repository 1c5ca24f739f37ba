import { parseBundleDocument, SpiffeError, TrustDomain } from '@steeple/spiffe';
import { type Comparison, type Difference, known, unknown } from './comparison.ts';
import { attempt } from './target.ts';
import { bundleDocument } from './targets/bundle-document.ts';

const trustDomain = TrustDomain.parse('a.test');

const STRICTER: readonly (readonly [ours: RegExp, why: string])[] = [
  [/the same member twice/, 'one meaning per text: Go takes the last of two members'],
  [/not UTF-8/, 'Go puts a question mark where the text is no UTF-8'],
  [/bad escape or lone surrogate/, 'Go puts a question mark where the text is no Unicode'],
  [/the document has no keys/, 'a bundle without the member is none (TDB-09)'],
  [/malformed JSON: longer|nested too deeply|overlong/, 'bounds'],
];
const LAXER: readonly (readonly [theirs: RegExp, why: string])[] = [
  [
    /unable to parse JWKS/,
    'a bad entry is left out and the others count (TDB-10, TDB-15); there it spoils the document',
  ],
  [/expected a single certificate|error adding .*authority|missing/, 'likewise'],
];

interface Reading {
  readonly roots: number;
  readonly kids: readonly string[];
  readonly sequence: string;
  readonly hint: number;
}

/** Bundle documents: what both take they must read alike, except where we leave out what breaks a rule. */
export const bundleComparison: Comparison = {
  name: 'bundle document against go-spiffe',
  kind: 'b',
  inputs: 100_000,
  make: (random) => bundleDocument.make(random),
  compare(input, theirs) {
    let ignored = 0;
    const ours = attempt(
      () => parseBundleDocument(trustDomain, input, { onIgnored: () => (ignored += 1) }),
      SpiffeError,
    );
    if ('refusal' in ours) {
      return theirs.accepted ? explained(STRICTER, ours.refusal, 'refused here, taken there') : undefined;
    }
    if (!theirs.accepted) return explained(LAXER, theirs.text, 'taken here, refused there');
    const { x509Authorities, jwtAuthorities, sequence, refreshHint } = ours.value;
    return compareReadings(
      {
        roots: x509Authorities.length,
        kids: jwtAuthorities.map(({ kid }) => kid),
        sequence: String(sequence),
        hint: refreshHint,
      },
      readingOf(theirs.text),
      { leftOut: ignored > 0, folded: /spiffe_(sequence|refresh_hint)/i.test(Buffer.from(input).toString('latin1')) },
    );
  },
};

function explained(table: typeof STRICTER, words: string, otherwise: string): Difference {
  const why = table.find(([pattern]) => pattern.test(words))?.[1];
  return why === undefined ? unknown(`${otherwise}: ${words}`) : known(why);
}

function readingOf(text: string): Reading {
  const [, roots, kids, sequence = '', hint] = /^roots=(\d+) kids=(.*) sequence=(\d+) hint=(-?\d+)$/s.exec(text) ?? [];
  return { roots: Number(roots), kids: JSON.parse(`[${goQuoted(kids)}]`) as string[], sequence, hint: Number(hint) };
}

/** Go's quoting has escapes that JSON has not. */
const goQuoted = (text = ''): string =>
  text
    .replaceAll(/\\x([0-9a-f]{2})/g, '\\u00$1')
    .replaceAll(/\\a/g, '\\u0007')
    .replaceAll(/\\v/g, '\\u000b')
    .replaceAll(/\\U[0-9a-f]{8}/g, (escape) => String.fromCodePoint(Number.parseInt(escape.slice(2), 16)));

function compareReadings(
  ours: Reading,
  theirs: Reading,
  { leftOut, folded }: { readonly leftOut: boolean; readonly folded: boolean },
): Difference | undefined {
  const invented = ours.kids.filter((kid) => !theirs.kids.includes(kid));
  if (invented.length > 0 || ours.roots > theirs.roots) return unknown('a key that go-spiffe does not see');
  if (ours.kids.length < theirs.kids.length || ours.roots < theirs.roots) {
    if (!leftOut) return unknown('a key is missing, and nothing was said about it');
    return known(
      'an entry that breaks a rule is left out: another key than its certificate, a weak key, one id for two keys',
    );
  }
  if (ours.sequence !== theirs.sequence || ours.hint !== theirs.hint) {
    if (folded && (ours.sequence === '0' || ours.hint === 0))
      return known('Go takes member names in any case of letters');
    // Beyond 292 years Go's count of nanoseconds turns negative.
    if (ours.hint < theirs.hint || theirs.hint < 0) return known('refresh hints have an upper bound');
    return unknown(`sequence or hint: ${ours.sequence} ${ours.hint}, there ${theirs.sequence} ${theirs.hint}`);
  }
  return undefined;
}
