import { BlockList, isIP } from 'node:net';

/** Where a server must not be sent by a stranger: to itself, to the link it is on, to the cloud's own services. */
const FORBIDDEN = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Alibaba Cloud's and Azure's metadata.
  '100.100.100.200/32',
  '168.63.129.16/32',
  '::/96',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  // IPv4 in other clothes.
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  '2001::/32',
  // Metadata of AWS and Google Cloud.
  'fd00:ec2::/32',
  'fd20:ce::254/128',
];
const forbidden = networksOf(FORBIDDEN);

/** Networks in which agents may be. */
export interface Networks {
  has(address: string): boolean;
}

/** Everything but what is dangerous for every server. Private networks are where agents are. */
export const ANY_HARMLESS: Networks = { has: (address) => isIP(address) !== 0 && !forbidden.has(address) };

/** @throws {RangeError} that names the text which is no network */
export function networksOf(texts: readonly string[]): Networks {
  const list = new BlockList();
  for (const text of texts) {
    const [network = '', prefix = '', ...more] = text.split('/');
    const bits = isIP(network) === 6 ? 128 : 32;
    const isNetwork = isIP(network) !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits && more.length === 0;
    if (!isNetwork) throw new RangeError(`${JSON.stringify(text)} is no network such as "10.0.0.0/8"`);
    list.addSubnet(network, Number(prefix), familyOf(network));
  }
  return { has: (address) => isIP(address) !== 0 && list.check(address, familyOf(address)) };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
