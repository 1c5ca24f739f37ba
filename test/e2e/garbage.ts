// Bytes that are no gRPC, from nothing at all to HTTP/2 that breaks its own rules.
import { connect, type NetConnectOpts } from 'node:net';
import { connect as tlsConnect } from 'node:tls';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const frame = (length: number, type: number, stream: number, body: Buffer = Buffer.alloc(0)) => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
};
export const garbage: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  Buffer.alloc(100_000, 0xff),
  preface.subarray(0, 10),
  Buffer.concat([preface, Buffer.alloc(5000, 7)]),
  Buffer.concat([preface, frame(0xffffff, 4, 0)]),
  Buffer.concat([preface, frame(0, 4, 0), frame(6, 1, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))]),
  Buffer.concat([preface, frame(0, 4, 0), frame(4, 0, 7, Buffer.from('none'))]),
  Buffer.concat([preface, ...Array.from({ length: 2000 }, () => frame(0, 4, 0))]),
];
/** Writes bytes to a socket, reads what comes and hangs up. */
export const throwAt = (options: NetConnectOpts, bytes: Buffer, tls = false): Promise<void> =>
  new Promise<void>((resolve) => {
    const socket = tls
      ? tlsConnect({ ...options, rejectUnauthorized: false, ALPNProtocols: ['h2'] } as object)
      : connect(options);
    socket.once('close', () => resolve());
    socket.on('error', () => {});
    socket.resume();
    socket.write(bytes);
    setTimeout(() => socket.destroy(), 150);
  });
