import { SpiffeError, SpiffeId } from '@steeple/spiffe';
import { mutateBytes } from '../mutate-bytes.ts';
import { attempt, Finding, type Target } from '../target.ts';

const SAMPLES = [
  'spiffe://example.org/workload',
  'spiffe://a',
  'spiffe://a.b-c_d.1/ns/Default/sa/x.y-z_1',
  `spiffe://${'a'.repeat(255)}/b`,
  `spiffe://td/${'x/'.repeat(1000)}y`,
].map((text) => Buffer.from(text));
const WORDS = [
  'spiffe://',
  'SPIFFE://',
  '/',
  '//',
  '/./',
  '/../',
  '.',
  '%2F',
  '@',
  ':8080',
  '?',
  '#',
  'é',
  '\u0000',
  ' ',
];

/** The grammar said a second time, as an expression (SPIFFE-ID sections 2.1 to 2.3). */
const GRAMMAR = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/;

export const spiffeId: Target = {
  name: 'SPIFFE ID',
  share: 0.32,
  stricter: [],
  make: (random) => mutateBytes(SAMPLES, WORDS, random),
  judge(input) {
    const text = Buffer.from(input).toString('utf8');
    const read = attempt(() => SpiffeId.parse(text), SpiffeError);
    const oracle = Buffer.byteLength(text) <= 2048 && GRAMMAR.test(text);
    if ('refusal' in read) return { accepted: false, refusal: read.refusal, oracle };
    if (read.value.toString() !== text) throw new Finding('an accepted ID is written differently');
    return { accepted: true, oracle };
  },
};
