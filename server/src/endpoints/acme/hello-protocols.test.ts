import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import { helloProtocols } from './hello-protocols.ts';

/** The first message of a real client. */
const helloOf = async (ALPNProtocols: string[], more: object = {}): Promise<Buffer> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ALPNProtocols, ...more });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [import('node:net').Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
};

it('are read from the hello of a real client, once it is whole', async () => {
  for (const protocols of [['acme-tls/1'], ['h2', 'http/1.1'], ['x'.repeat(255)]]) {
    const hello = await helloOf(protocols, { servername: 'bundle.test' });
    expect(helloProtocols(hello)).toEqual(protocols);
    for (const length of [0, 1, 4, 5, 100, hello.length - 1]) {
      expect(helloProtocols(hello.subarray(0, length))).toBe('incomplete');
    }
  }
  expect(helloProtocols(await helloOf(['h2'], { maxVersion: 'TLSv1.2' }))).toEqual(['h2']);
});

it('are none in anything else', async () => {
  const hello = await helloOf(['acme-tls/1']);
  const changed = (at: number, byte: number): Buffer => Buffer.from(hello.with(at, byte));
  const others = [
    Buffer.from('GET / HTTP/1.1\r\n'),
    changed(0, 23),
    changed(5, 2),
    // A record longer than TLS has, a session ID and cipher suites that reach beyond the end.
    changed(3, 0x50),
    changed(43, 0xff),
    Buffer.concat([Buffer.of(22, 3, 1, 0, 1), Buffer.of(1)]),
    Buffer.of(22, 3, 1, 0, 0),
  ];
  for (const other of others) expect(helloProtocols(other)).toEqual([]);
});

it('no byte of a hello, changed in any way, is more than a wrong answer', async () => {
  const hello = await helloOf(['acme-tls/1']);
  for (let at = 5; at < hello.length; at += 1) {
    for (const byte of [0, 0xff]) expect(helloProtocols(Buffer.from(hello.with(at, byte)))).toBeInstanceOf(Array);
  }
});
