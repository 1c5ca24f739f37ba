import type { TLSSocket } from 'node:tls';
import { SpiffeError } from '@steeple/spiffe';
import { systemNow } from '../time.ts';
import { circumstancesOf, hold, type Meeting, type Sources, trustHolds } from './circumstances.ts';
import { type PeerPolicy, verifyPeer } from './verify-peer.ts';

/** What can be done with an open connection. */
export interface ConnectionControl {
  /** Ends it at once, whatever runs on it. */
  readonly cut: (error: Error, socket: TLSSocket) => void;
  /** Lets nothing new onto it: idle, it is to be closed now, else when what runs on it is over. May come repeatedly. */
  readonly retire: (socket: TLSSocket) => void;
}

/**
 * Judges the peer of an open connection again whenever the sources report a change. A peer that is no longer trusted or
 * authorised is cut off: its authority was removed, its certificate revoked, or we may use nothing any more. If it still
 * is, but a new connection would be made with another SVID or bundle, the connection retires. That the peer's certificate
 * has expired meanwhile is no reason to cut: it was valid when the connection was made.
 */
export function followTrust(
  socket: TLSSocket,
  meeting: Meeting,
  options: PeerPolicy & Sources,
  control: ConnectionControl,
): void {
  const sources = new Set([options.bundles, options.svid]);
  const madeAt = (options.now ?? systemNow)();
  const made = circumstancesOf(meeting, options);
  let judged = made;
  const judge = () => {
    if (socket.destroyed) return;
    try {
      if (!trustHolds(judged, options)) requireStillTrusted(socket, options, madeAt);
      judged = circumstancesOf(meeting, options);
    } catch (error) {
      return control.cut(error as Error, socket);
    }
    if (!hold(made, options)) control.retire(socket);
  };
  for (const source of sources) {
    const end = source?.onChange?.(judge);
    if (end !== undefined) socket.once('close', end);
  }
}

function requireStillTrusted(socket: TLSSocket, policy: PeerPolicy, madeAt: number): void {
  try {
    verifyPeer(socket, policy);
  } catch (error) {
    if (!isExpired(error)) throw error;
    verifyPeer(socket, { ...policy, now: () => madeAt });
  }
}

function isExpired(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof SpiffeError && error.cause.code === 'expired';
}
