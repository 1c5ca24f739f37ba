// The messages that a TLS server sends in the clear, as somebody on the wire sees them.
import { once } from 'node:events';
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';

export const CERTIFICATE = 11;
export const CERTIFICATE_REQUEST = 13;
const SERVER_HELLO_DONE = 14;
const HANDSHAKE = 22;

/** Types of the handshake messages of a TLS 1.2 server, up to and with ServerHelloDone (RFC 5246 section 7.4). */
export async function handshakeMessages(port: number, options: ConnectionOptions = {}): Promise<number[]> {
  const seen: Buffer[] = [];
  const wire = createServer((near) => {
    const far = connectPlain(port, '127.0.0.1');
    far.on('data', (bytes) => seen.push(bytes)).on('error', () => {});
    near
      .on('error', () => {})
      .pipe(far)
      .pipe(near);
  }).listen(0, '127.0.0.1');
  await once(wire, 'listening');
  const client = connect({
    ...options,
    host: '127.0.0.1',
    port: (wire.address() as AddressInfo).port,
    maxVersion: 'TLSv1.2',
    rejectUnauthorized: false,
  });
  await once(client, 'secureConnect');
  client.destroy();
  wire.close();
  return typesOf(Buffer.concat(seen));
}

function typesOf(records: Buffer): number[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < records.length && records[at] === HANDSHAKE; ) {
    const end = at + 5 + records.readUInt16BE(at + 3);
    messages.push(records.subarray(at + 5, end));
    at = end;
  }
  const stream = Buffer.concat(messages);
  const types: number[] = [];
  for (let at = 0; types.at(-1) !== SERVER_HELLO_DONE; at += 4 + stream.readUIntBE(at + 1, 3))
    types.push(stream.readUInt8(at));
  return types;
}
