import type { EntryInit } from './entry-flags.ts';
import { UserError } from './exit.ts';
import { texts } from './flags.ts';
import type { Options } from './verb.ts';

/** What each field has when it says nothing, by the name of its flag. */
const EMPTY: Readonly<Record<string, EntryInit>> = {
  'x509-svid-ttl': { x509SvidTtl: 0 },
  'jwt-svid-ttl': { jwtSvidTtl: 0 },
  dns: { dnsNames: [] },
  'federates-with': { federatesWith: [] },
  hint: { hint: '' },
  admin: { admin: false },
  downstream: { downstream: false },
  'store-svid': { storeSvid: false },
  'expires-at': { expiresAt: 0n },
  'disable-x509-svid-prefetch': { additionalAttributes: { disableX509SvidPrefetch: false } },
  'jwt-svid-include-jti': { additionalAttributes: { jwtSvidIncludeJti: false } },
};

/** The fields that `--clear` names, empty. Attributes hold only those that were named. */
export function clearedFields(options: Options): EntryInit {
  const cleared: EntryInit = {};
  for (const name of texts(options, 'clear')) {
    const empty = EMPTY[name];
    if (empty === undefined) {
      throw new UserError(`--clear: '${name}' cannot be cleared`, `use one of ${Object.keys(EMPTY).join(', ')}`);
    }
    const { additionalAttributes, ...plain } = empty;
    Object.assign(cleared, plain);
    if (additionalAttributes) {
      cleared.additionalAttributes = { ...cleared.additionalAttributes, ...additionalAttributes };
    }
  }
  return cleared;
}
