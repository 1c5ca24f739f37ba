import type { WITSVIDResponse } from '@steeple/proto/workload';
import { type HeldWitSvid, parseHeldWitSvid, SpiffeId } from '@steeple/spiffe';
import { firstOfHint } from './first-of-hint.ts';
import { invalidResponse, mandatory, reading } from './invalid-response.ts';

/** Our own WIT-SVIDs with their keys. @throws ClientError `invalid-response` */
export function readWitSvids(message: WITSVIDResponse, now: number): HeldWitSvid[] {
  if (message.svids.length === 0) throw invalidResponse('no WIT-SVIDs');
  const svids = message.svids.map(({ spiffeId, witSvid, witSvidKey, hint }) => {
    mandatory(spiffeId, 'spiffe_id');
    mandatory(witSvid, 'wit_svid');
    mandatory(witSvidKey, 'wit_svid_key');
    return reading('WIT-SVID', () => {
      const id = SpiffeId.parse(spiffeId);
      const held = parseHeldWitSvid(witSvid, witSvidKey, hint);
      if (!held.id.equals(id))
        throw invalidResponse(`spiffe_id is ${id.toString()}, the token's is ${held.id.toString()}`);
      if (held.expiresAt <= now) throw invalidResponse(`the WIT-SVID of ${id.toString()} has expired`);
      return held;
    });
  });
  return firstOfHint(svids);
}
