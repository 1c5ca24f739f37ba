// The PROXY protocol, versions 1 and 2: what a load balancer says before the first byte of the connection it passes on.
import { isIP } from 'node:net';

/** Where a connection really comes from. */
export interface ProxySource {
  readonly address: string;
  readonly port: number;
}

export type ProxyHeader =
  /** More bytes are needed to tell. */
  | 'incomplete'
  /** The connection begins with something else. */
  | 'none'
  /** `source` is undefined when the proxy speaks for itself, as in health checks. */
  | { readonly length: number; readonly source: ProxySource | undefined };

const V1 = Buffer.from('PROXY ');
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Longest line of version 1 with its end. */
const LONGEST_V1 = 107;
/** Longest version 2 header that is taken; addresses need 52, the rest is for extensions. */
const LONGEST_V2 = 4096;

/** Reads the start of a connection. @throws {Error} for a header that is not well formed */
export const readProxyHeader = (bytes: Buffer): ProxyHeader => {
  for (const [signature, read] of [
    [V1, readV1],
    [V2, readV2],
  ] as const) {
    const seen = bytes.subarray(0, signature.length);
    if (!signature.subarray(0, seen.length).equals(seen)) continue;
    return seen.length < signature.length ? 'incomplete' : read(bytes);
  }
  return 'none';
};

const readV1 = (bytes: Buffer): ProxyHeader => {
  const end = bytes.indexOf('\r\n');
  if (end === -1 && bytes.length < LONGEST_V1) return 'incomplete';
  if (end === -1 || end + 2 > LONGEST_V1) throw new Error('the line of the PROXY protocol is too long');
  const [, family, source = '', , port = ''] = bytes.toString('latin1', 0, end).split(' ');
  const length = end + 2;
  if (family === 'UNKNOWN') return { length, source: undefined };
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined;
  if (version === undefined || isIP(source) !== version) throw new Error('the PROXY line has no address of its family');
  if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) throw new Error('the PROXY line has no port');
  return { length, source: { address: source, port: Number(port) } };
};

const readV2 = (bytes: Buffer): ProxyHeader => {
  if (bytes.length < 16) return 'incomplete';
  const length = 16 + bytes.readUInt16BE(14);
  if (length > LONGEST_V2) throw new Error('the header of the PROXY protocol is too long');
  const [command, family] = [bytes.readUInt8(12), bytes.readUInt8(13)];
  if (command !== 0x20 && command !== 0x21) throw new Error('the PROXY header has an unknown version or command');
  if (bytes.length < length) return 'incomplete';
  return { length, source: command === 0x20 ? undefined : sourceOf(family, bytes.subarray(16, length)) };
};

const sourceOf = (family: number, block: Buffer): ProxySource | undefined => {
  if (family === 0x11) {
    if (block.length < 12) throw new Error('the PROXY header is shorter than its addresses');
    return { address: [...block.subarray(0, 4)].join('.'), port: block.readUInt16BE(8) };
  }
  if (family === 0x21) {
    if (block.length < 36) throw new Error('the PROXY header is shorter than its addresses');
    return { address: ipv6(block.subarray(0, 16)), port: block.readUInt16BE(32) };
  }
  // Datagrams and local sockets: not what this port is for, and nothing to judge anybody by.
  return undefined;
};

const ipv6 = (bytes: Buffer): string => {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // The URL class knows the short form.
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
};
