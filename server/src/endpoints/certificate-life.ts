import type { TLSSocket } from 'node:tls';
import { peerOf } from '@steeple/client/tls';

/** Seconds; no connection gets as old as this. */
const FAR = 300;

/**
 * Seconds until the client of a connection is to come back with its next certificate: before the one it came with expires,
 * because some clients take the refusal of an expired one for the last word. Undefined for strangers, and when it is far
 * away.
 *
 * @param now Unix seconds
 */
export function certificateLife(socket: TLSSocket, now: number): number | undefined {
  const certificate = peerOf(socket)?.chain[0];
  if (certificate === undefined) return undefined;
  const left = Math.max(0, certificate.notAfter - now);
  return left < FAR ? left * 0.75 : undefined;
}
