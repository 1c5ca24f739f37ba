import { type CompactJws, readCompactJws } from '../jwt/compact-jws.ts';
import { refused, WIT_SVID } from '../jwt/token-kind.ts';
import { readKid } from './token-trust.ts';

/**
 * Takes a WIT-SVID apart and checks its header: `typ` is `wit+jwt` (WIT-05), `kid` is there (WIT-02), nothing is declared
 * critical; what else the header holds is ignored (WIT-09).
 *
 * @throws SpiffeError `invalid-token`
 */
export function readWitSvid(token: string): CompactJws & { readonly kid: string } {
  const jws = readCompactJws(token, WIT_SVID);
  if ('crit' in jws.header) throw refused(WIT_SVID, 'WIT-09', 'a critical header parameter is not understood');
  if (jws.header['typ'] !== 'wit+jwt') throw refused(WIT_SVID, 'WIT-05', 'the type is not wit+jwt');
  const kid = readKid(jws);
  if (kid === undefined) throw refused(WIT_SVID, 'WIT-02', 'no key id');
  return { ...jws, kid };
}
