import { SpiffeError } from '@steeple/spiffe';
import { DerReader } from '../../../spiffe/src/der/reader.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { readTree, writeTree } from '../mutate-der.ts';
import { ACCEPTED, attempt, Finding, type Target } from '../target.ts';
import { certificateSamples } from './x509-samples.ts';

/** DER has one encoding for each value, so what is accepted must come out of a writer as it went in. */
export const der: Target = {
  name: 'DER',
  share: 0.09,
  stricter: [],
  make: (random) => mutateBytes(certificateSamples, ['\u0000', '0\u0080', '\u0002\u0001'], random),
  judge(input) {
    const read = attempt(() => new DerReader(input).skipAll(), SpiffeError);
    if ('refusal' in read) return { accepted: false, refusal: read.refusal };
    if (!Buffer.from(input).equals(writeTree(readTree(input)))) throw new Finding('accepted what is not DER');
    return ACCEPTED;
  },
};
