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

type Outcome =
  | { readonly ok: true; readonly selectors: readonly Selector[] }
  | { readonly ok: false; readonly error: unknown };

/** Of one process, for all calls that wait for it. `peer` is the connection through which it is made. */
interface Examination {
  readonly peer: PeerCredentials;
  readonly outcome: Promise<Outcome>;
}

/** Turns of the event loop that an attestor gets at least. */
const STEPS = 20;

/** An examination is for several calls: it goes on when one of them leaves. */
const NOBODY_LEAVES = new AbortController().signal;

/** What every caller without identity is told, whatever the reason: nothing is to be learned from it. */
export function noIdentity(): GrpcError {
  return GrpcError.of(Code.PERMISSION_DENIED, 'no identity issued');
}

/** One for all: the default reason of a signal is an error with a stack. */
const DONE = new DOMException('the attestor has answered', 'AbortError');

/**
 * Finds out who is calling.
 *
 * W1. All attestors run in parallel, each with its own time limit; one that fails adds nothing.
 * W2. If all fail we do not know who it is: that is our failure (Unavailable), not the caller's.
 * W3. The caller is the same living process after attestation as before, or it gets nothing.
 * W4. Attestations are limited in number, strangers' included; who does not fit is told to come again.
 * W5. A process is examined once at a time. Calls that come meanwhile share the next examination, so none is judged by what
 *     was found out before it came.
 */
export class WorkloadAttestation {
  readonly #parts: WorkloadAttestationParts;
  readonly #admission: Admission;
  /** By process: the examination that has begun, and the one that has not. */
  readonly #running = new Map<string, Examination>();
  readonly #next = new Map<string, Examination>();

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
    signal.throwIfAborted();
    for (;;) {
      if (!peer.isAlive()) throw noIdentity(); // W3
      const examination = this.#examinationOf(peer);
      const outcome = await orAborted(examination.outcome, signal);
      if (!peer.isAlive()) throw noIdentity(); // W3
      if (outcome.ok) return outcome.selectors;
      // It was made through the connection of another call, and that has gone: its failure says nothing about us.
      if (examination.peer === peer || examination.peer.isAlive()) throw outcome.error;
    }
  }

  /** W5 */
  #examinationOf(peer: PeerCredentials): Examination {
    const process = `${peer.pid} ${peer.startTime}`;
    const waiting = this.#next.get(process);
    if (waiting !== undefined) return waiting;
    const before = this.#running.get(process)?.outcome;
    const examination: Examination = { peer, outcome: this.#examineAfter(before, process, peer) };
    this.#next.set(process, examination);
    return examination;
  }

  async #examineAfter(before: Promise<unknown> | undefined, process: string, peer: PeerCredentials): Promise<Outcome> {
    await before;
    let leave: (() => void) | undefined;
    try {
      leave = await this.#admission.enter(NOBODY_LEAVES); // W4
      const examination = this.#next.get(process);
      this.#next.delete(process);
      if (examination !== undefined) this.#running.set(process, examination);
      return { ok: true, selectors: await this.#examine(peer) };
    } catch (error) {
      this.#next.delete(process);
      return { ok: false, error };
    } finally {
      this.#running.delete(process);
      leave?.();
    }
  }

  async #examine(peer: PeerCredentials): Promise<readonly Selector[]> {
    const results = await Promise.all(this.#parts.attestors.map((attestor) => this.#ask(attestor, peer)));
    const known = results.filter((result) => result !== undefined);
    if (known.length === 0) throw GrpcError.of(Code.UNAVAILABLE, 'the calling process could not be examined'); // W2
    return known.flat();
  }

  /** W1 */
  async #ask(attestor: WorkloadAttestor, peer: PeerCredentials): Promise<readonly Selector[] | undefined> {
    const { clock, timeout, logger } = this.#parts;
    const limit = new AbortController();
    const done = new AbortController();
    const tooLate = () => limit.abort(new Error(`no answer within ${timeout} s`));
    patience(clock, timeout, done.signal).then(tooLate, () => {});
    try {
      return await orAborted(attestor.attest(peer, limit.signal), limit.signal);
    } catch (error) {
      logger.warn('A workload attestor failed', { attestor: attestor.type, pid: peer.pid, error });
      return undefined;
    } finally {
      done.abort(DONE);
    }
  }
}

/**
 * Waits so many seconds, in steps: where thousands of calls come at once the time may be over before this process had a
 * chance to take in an answer that has long been there.
 */
async function patience(clock: Clock, seconds: number, signal: AbortSignal): Promise<void> {
  for (let step = 0; step < STEPS; step++) await clock.sleep(seconds / STEPS, signal);
}
