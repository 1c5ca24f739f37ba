import type { PeerCredentials } from '@steeple/daemon/listen';
import type { CallContext } from '@steeple/proto/grpc';
import type { CallLimits } from '../app/call-limits.ts';
import type { LoggableSelectors } from '../app/loggable-selectors.ts';
import { noIdentity } from '../app/no-identity.ts';
import type { OpenStreams } from '../app/open-streams.ts';
import type { Attested, WorkloadAttestation } from '../app/workload-attestation.ts';

export interface CallersParts {
  readonly attestation: WorkloadAttestation;
  readonly streams: OpenStreams;
  /** Who is behind a connection; undefined when it is gone. */
  readonly peerOf: (peerKey: string) => PeerCredentials | undefined;
  readonly limits?: CallLimits | undefined;
  readonly loggable?: LoggableSelectors | undefined;
}

/** A caller that was attested; `release` must be called when the call is over. */
export interface Caller extends Attested {
  /** Also aborts when the caller has died. */
  readonly signal: AbortSignal;
  readonly release: () => void;
}

/** Finds out who is behind a call on a local socket. */
export class Callers {
  readonly #parts: CallersParts;

  constructor(parts: CallersParts) {
    this.#parts = parts;
  }

  /** @throws GrpcError `PERMISSION_DENIED` for a dead caller, `UNAVAILABLE` */
  async attest(ctx: CallContext): Promise<Caller> {
    const { attestation, streams, peerOf, limits, loggable } = this.#parts;
    const peer = peerOf(ctx.peerKey);
    if (peer === undefined) throw noIdentity();
    const { signal, release } = streams.guard(peer, ctx.signal);
    try {
      const attested = await attestation.attest(peer, signal);
      const { selectors } = attested;
      loggable?.note(ctx, selectors);
      // The agent's own probes are not to be what is refused.
      if (peer.pid !== process.pid) limits?.take(ctx.method, selectors);
      return { ...attested, signal, release };
    } catch (error) {
      release();
      throw error;
    }
  }
}
