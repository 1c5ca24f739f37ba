import { once } from 'node:events';
import type { Socket } from 'node:net';
import { GarbledBus } from './wire-reader.ts';

const MAX_LINE_BYTES = 1024;

/**
 * Introduces this process to a bus, which knows its user from the kernel (D-Bus specification, "Authentication Protocol",
 * mechanism EXTERNAL).
 *
 * @returns whether descriptors can be sent along with messages.
 */
export async function authenticate(socket: Socket, uid: number, signal: AbortSignal): Promise<boolean> {
  socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(uid)).toString('hex')}\r\n`);
  const answer = await line(socket, signal);
  if (!answer.startsWith('OK ')) throw new Error('the bus does not accept this user');
  socket.write('NEGOTIATE_UNIX_FD\r\n');
  const descriptors = (await line(socket, signal)) === 'AGREE_UNIX_FD';
  socket.write('BEGIN\r\n');
  return descriptors;
}

async function line(socket: Socket, signal: AbortSignal): Promise<string> {
  let text = '';
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error('the bus hung up');
      await Promise.race([once(socket, 'readable', { signal }), once(socket, 'end', { signal })]);
      continue;
    }
    text += chunk.toString('latin1');
    if (text.length > MAX_LINE_BYTES) throw new GarbledBus('a line without an end');
    const end = text.indexOf('\r\n');
    if (end >= 0) {
      const rest = text.slice(end + 2);
      if (rest !== '') socket.unshift(Buffer.from(rest, 'latin1'));
      return text.slice(0, end);
    }
  }
}
