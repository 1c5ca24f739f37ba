import type { TLSSocket } from 'node:tls';
import type { PeerCredentials } from './peer-credentials.ts';

/** Who is at the other end of a connection. */
export type Peer =
  | { readonly kind: 'unix'; readonly credentials: PeerCredentials }
  | {
      readonly kind: 'tcp';
      /** Remote IP address, without a port. */
      readonly address: string;
      readonly port?: number;
      readonly tls?: TLSSocket;
    };

/** For a log line. */
export function describePeer(peer: Peer | undefined): Record<string, unknown> {
  if (peer === undefined) return {};
  if (peer.kind === 'tcp') return { remote_address: peer.address };
  const { pid, uid } = peer.credentials;
  return { caller_pid: pid, caller_uid: uid };
}
