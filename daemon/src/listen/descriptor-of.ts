import type { Socket } from 'node:net';

/**
 * The descriptor of an open socket. The only access to something Node does not publish; there is no public way from a
 * socket to its fd.
 */
export function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  const fd = handle?.fd;
  if (typeof fd !== 'number' || !Number.isInteger(fd) || fd < 0) throw new Error('the socket has no descriptor');
  return fd;
}
