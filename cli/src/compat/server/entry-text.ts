import type { types } from '@steeple/proto/server-api';
import { utcTime } from '../go/time.ts';
import { idText } from '../spiffe-id.ts';

/** An entry as the commands about entries print it, with the empty line that ends it. */
export function entryText(entry: types.Entry): string {
  const lines: [string, string][] = [
    ['Entry ID', entry.id === '' ? '(none)' : entry.id],
    ['SPIFFE ID', idText(entry.spiffeId)],
    ['Parent ID', idText(entry.parentId)],
    ['Revision', String(entry.revisionNumber)],
  ];
  const flag = (name: string, on: boolean | undefined): void => {
    if (on === true) lines.push([name, 'true']);
  };
  flag('Downstream', entry.downstream);
  lines.push(['X509-SVID TTL', ttl(entry.x509SvidTtl)], ['JWT-SVID TTL', ttl(entry.jwtSvidTtl)]);
  if (entry.expiresAt !== 0n) lines.push(['Expiration time', utcTime(Number(entry.expiresAt))]);
  for (const { type, value } of entry.selectors) lines.push(['Selector', `${type}:${value}`]);
  for (const domain of entry.federatesWith) lines.push(['FederatesWith', domain]);
  for (const name of entry.dnsNames) lines.push(['DNS name', name]);
  flag('Admin', entry.admin);
  flag('StoreSvid', entry.storeSvid);
  if (entry.hint !== '') lines.push(['Hint', entry.hint]);
  flag('DisableX509SvidPrefetch', entry.additionalAttributes?.disableX509SvidPrefetch);
  flag('JwtSvidIncludeJti', entry.additionalAttributes?.jwtSvidIncludeJti);
  return `${lines.map(([name, value]) => `${name.padEnd(23)} : ${value}\n`).join('')}\n`;
}

const ttl = (seconds: number): string => (seconds === 0 ? 'default' : String(seconds));
