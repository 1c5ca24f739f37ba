import type { TLSSocket } from 'node:tls';
import { type BundleSource, type Certificate, parseCertificate, type SpiffeId, verifyX509Svid } from '@steeple/spiffe';
import { ClientError } from '../errors.ts';
import { type Now, systemNow } from '../time.ts';
import type { Authorizer } from './authorize.ts';
import { peerChain } from './peer-chain.ts';

/** How a peer is judged. */
export interface PeerPolicy {
  /** Bundles by trust domain; the peer is checked with the bundle of its own trust domain only. */
  readonly bundles: BundleSource;
  readonly authorize: Authorizer;
  /** Unix seconds; default: the machine's clock. */
  readonly now?: Now | undefined;
}

/** Who is at the other end: its SPIFFE ID and the verified chain, leaf to root. */
export interface VerifiedPeer {
  readonly id: SpiffeId;
  readonly chain: readonly Certificate[];
}

/**
 * Authenticates and authorises the peer of a finished TLS handshake (X509-SVID section 5). Node's own verdict
 * (`socket.authorized`) is not consulted: it knows one merged list of roots, and SPIFFE trusts each root for one
 * trust domain only.
 *
 * @throws ClientError `no-peer-certificate`, `untrusted-peer` (cause: SpiffeError), `unauthorized-peer`,
 *   `resumed-session`
 */
export function verifyPeer(socket: TLSSocket, policy: PeerPolicy): VerifiedPeer {
  refuseResumed(socket);
  const peer = authenticate(peerChain(socket), policy);
  authorize(peer, policy.authorize);
  return peer;
}

/** Like {@link verifyPeer}, but a peer that presented no certificate is `undefined`, for servers that allow strangers. */
export function verifyPeerIfPresent(socket: TLSSocket, policy: PeerPolicy): VerifiedPeer | undefined {
  refuseResumed(socket);
  return peerChain(socket).length === 0 ? undefined : verifyPeer(socket, policy);
}

// A resumed session carries the peer's old verdict and not its chain, so nothing could be checked.
function refuseResumed(socket: TLSSocket): void {
  if (socket.isSessionReused()) throw new ClientError('resumed-session', 'peer resumed an earlier TLS session');
}

function authenticate(ders: readonly Uint8Array[], policy: PeerPolicy): VerifiedPeer {
  if (ders.length === 0) throw new ClientError('no-peer-certificate', 'peer presented no certificate');
  let presented = 'a certificate without a SPIFFE ID';
  try {
    const chain = ders.map((der) => parseCertificate(der));
    presented = chain[0]?.spiffeId().toString() ?? presented;
    return verifyX509Svid(chain, policy.bundles, { now: (policy.now ?? systemNow)() });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ClientError('untrusted-peer', `peer presented ${presented}, not trusted: ${reason}`, { cause });
  }
}

function authorize(peer: VerifiedPeer, authorizer: Authorizer): void {
  try {
    authorizer(peer.id, peer.chain);
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ClientError('unauthorized-peer', `peer presented ${peer.id.toString()}, refused: ${reason}`, { cause });
  }
}
