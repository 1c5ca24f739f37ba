import type { Selector } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { type CallMeter, measureCall } from '@steeple/daemon/metrics';
import type { WorkloadAttestor } from '@steeple/plugins';
import { Code, GrpcError, orAborted } from '@steeple/proto/grpc';
import { Admission } from './admission.ts';

export interface WorkloadAttestationParts {
  readonly attestors: readonly WorkloadAttestor[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Seconds that one attestor may take. */
  readonly timeout: number;
  readonly meter: CallMeter;
  /** Attestations at the same time, and waiting. */
  readonly limits?: { readonly running: number; readonly waiting: number };
}

/** What every caller without identity is told, whatever the reason: nothing is to be learned from it. */
export function noIdentity(): GrpcError {
  return GrpcError.of(Code.PERMISSION_DENIED, 'no identity issued');
}

/**
 * Finds out who is calling.
 *
 * W1. All attestors run in parallel, each with its own time limit; one that fails adds nothing.
 * W2. If all fail we do not know who it is: that is our failure (Unavailable), not the caller's.
 * W3. The caller is the same living process after attestation as before, or it gets nothing.
 * W4. Attestations are limited in number, strangers' included; who does not fit is told to come again.
 */
export class WorkloadAttestation {
  readonly #parts: WorkloadAttestationParts;
  readonly #admission: Admission;

  constructor(parts: WorkloadAttestationParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts.limits ?? { running: 64, waiting: 8192 });
  }

  /** @throws GrpcError `PERMISSION_DENIED` for a dead caller, `UNAVAILABLE` */
  attest(peer: PeerCredentials, signal: AbortSignal): Promise<readonly Selector[]> {
    const { meter } = this.#parts;
    return measureCall(meter, 'workload_api.workload_attestation', async () => {
      const selectors = await this.#attest(peer, signal);
      meter.metrics.sample('workload_api.discovered_selectors', selectors.length);
      return selectors;
    });
  }

  async #attest(peer: PeerCredentials, signal: AbortSignal): Promise<readonly Selector[]> {
    const leave = await this.#admission.enter(signal); // W4
    try {
      if (!peer.isAlive()) throw noIdentity(); // W3
      const results = await Promise.all(this.#parts.attestors.map((attestor) => this.#ask(attestor, peer, signal)));
      if (!peer.isAlive()) throw noIdentity(); // W3
      const known = results.filter((result) => result !== undefined);
      if (known.length === 0) throw GrpcError.of(Code.UNAVAILABLE, 'the calling process could not be examined'); // W2
      return known.flat();
    } finally {
      leave();
    }
  }

  /** W1 */
  async #ask(
    attestor: WorkloadAttestor,
    peer: PeerCredentials,
    signal: AbortSignal,
  ): Promise<readonly Selector[] | undefined> {
    const { clock, timeout, logger } = this.#parts;
    const limit = new AbortController();
    const done = new AbortController();
    const tooLate = () => limit.abort(new Error(`no answer within ${timeout} s`));
    clock.sleep(timeout, done.signal).then(tooLate, () => {});
    const either = AbortSignal.any([signal, limit.signal]);
    try {
      return await orAborted(attestor.attest(peer, either), either);
    } catch (error) {
      if (signal.aborted) throw error;
      logger.warn('A workload attestor failed', { attestor: attestor.type, pid: peer.pid, error });
      return undefined;
    } finally {
      done.abort();
    }
  }
}
