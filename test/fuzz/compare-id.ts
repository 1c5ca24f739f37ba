import { SpiffeError, SpiffeId } from '@steeple/spiffe';
import { type Comparison, known, unknown } from './comparison.ts';
import { attempt } from './target.ts';
import { spiffeId } from './targets/spiffe-id.ts';

/** SPIFFE IDs: the same ones, read the same way, but for lengths. */
export const idComparison: Comparison = {
  name: 'SPIFFE ID against go-spiffe',
  kind: 'i',
  inputs: 500_000,
  // Go reads bytes, we read text: what is no UTF-8 is made so first.
  make: (random) => Buffer.from(Buffer.from(spiffeId.make(random)).toString('utf8')),
  compare(input, theirs) {
    const ours = attempt(() => SpiffeId.parse(Buffer.from(input).toString('utf8')), SpiffeError);
    if ('refusal' in ours) {
      if (!theirs.accepted) return undefined;
      if (/longer than/.test(ours.refusal))
        return known('255 bytes of trust domain, 2048 in all (SPIFFE-ID section 2.3)');
      return unknown(`refused here, taken there: ${ours.refusal}`);
    }
    if (!theirs.accepted) return unknown(`taken here, refused there: ${theirs.text}`);
    const { trustDomain, path } = ours.value;
    return theirs.text === `${trustDomain.name} ${path}` ? undefined : unknown('read differently');
  },
};
