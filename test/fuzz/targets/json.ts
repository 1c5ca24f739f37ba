import { isDeepStrictEqual } from 'node:util';
import { parseJson, SpiffeError } from '@steeple/spiffe';
import { mutateBytes } from '../mutate-bytes.ts';
import { attempt, Finding, type Target } from '../target.ts';

const SAMPLES = [
  '{"keys":[{"kty":"EC","x":"\\u00e9","n":-1.5e3}],"spiffe_sequence":12}',
  '[1,2.50,-0,1e400,9007199254740993,true,false,null,"\\ud83d\\ude00\\n"]',
  '{"a":{"b":[[[[{}]]]]},"__proto__":{"x":1},"":""}',
].map((text) => Buffer.from(text));
const WORDS = [
  '"a":',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '\\u',
  '\\ud800',
  '\\"',
  'null',
  '1e999',
  '-0',
  '0x1',
  '01',
  '\ufeff',
];
const LIMITS = { maxBytes: 65_536, maxDepth: 32 };
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `JSON.parse` has no integers beyond 2^53 and knows prototypes; both are levelled before comparing. */
const level = (value: unknown): unknown => {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(level);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value).map(([name, member]) => [name, level(member)]);
};

export const json: Target = {
  name: 'JSON of bundles and tokens',
  share: 0.13,
  stricter: [
    ['the same member twice', 'one meaning per text: which member counts is the reader’s choice'],
    ['nested too deeply', 'a bound on depth'],
    ['longer than', 'a bound on size'],
    ['bad escape or lone surrogate', 'no such text can be sent as UTF-8'],
    ['number out of range', 'a number that a double cannot hold'],
    ['bad or overlong number', 'a bound on digits'],
  ],
  make: (random) => mutateBytes(SAMPLES, WORDS, random),
  judge(input) {
    const read = attempt(() => parseJson(input, LIMITS), SpiffeError);
    let value: unknown;
    let oracle = true;
    try {
      value = JSON.parse(UTF8.decode(input));
    } catch {
      oracle = false;
    }
    if ('refusal' in read)
      return { accepted: false, refusal: read.refusal.replace(/^malformed JSON[^:]*: /, ''), oracle };
    if (oracle && !isDeepStrictEqual(level(read.value), level(value))) throw new Finding('read another value');
    return { accepted: true, oracle };
  },
};
