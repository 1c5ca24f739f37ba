import type { Selector } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { type CallMeter, measureCall } from '@steeple/daemon/metrics';
import type { WorkloadAttestor } from '@steeple/plugins';
import { Code, GrpcError, orAborted } from '@steeple/proto/grpc';
import { Admission } from './admission.ts';
import type { AttestorFailures } from './attestor-failures.ts';

/** What one attestor says of a process, or why it says nothing. */
export type Answer =
  | { readonly ok: true; readonly selectors: readonly Selector[] }
  | { readonly ok: false; readonly error: unknown; readonly turnedAway: boolean };

export interface AttestorLaneParts {
  readonly attestor: WorkloadAttestor;
  readonly clock: Clock;
  readonly failures: AttestorFailures;
  readonly meter: CallMeter;
  /** Seconds that one answer may take. */
  readonly timeout: number;
  /** Questions at the same time, and waiting. */
  readonly limits: { readonly running: number; readonly waiting: number };
}

/** Of one process, for all calls that wait for it. `peer` is the connection through which it is made. */
interface Examination {
  readonly peer: PeerCredentials;
  readonly answer: Promise<Answer>;
}

/** Turns of the event loop that an attestor gets at least. */
const STEPS = 20;

/** One for all: the default reason of a signal is an error with a stack. */
const DONE = new DOMException('the attestor has answered', 'AbortError');

/**
 * The questions to one attestor. Each attestor has a lane of its own, so that one that hangs holds up nobody but those who
 * wait for its answer.
 *
 * L1. An answer that takes too long is a failure. The wait for a turn is limited too where the attestor answers nobody.
 * L2. Questions are limited in number, strangers' included; who does not fit is turned away.
 * L3. A process is asked about once at a time. Calls that come meanwhile share the next question, so none is judged by what
 *     was found out before it came.
 */
export class AttestorLane {
  readonly #parts: AttestorLaneParts;
  readonly #admission: Admission;
  /** By process: the examination that has begun, and the one that has not. */
  readonly #running = new Map<string, Examination>();
  readonly #next = new Map<string, Examination>();
  #answered = 0;

  constructor(parts: AttestorLaneParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts.limits);
  }

  /** The type of its selectors, which is its name. */
  get type(): string {
    return this.#parts.attestor.type;
  }

  /** Never rejects. */
  async ask(peer: PeerCredentials): Promise<Answer> {
    for (;;) {
      const examination = this.#examinationOf(peer);
      const answer = await examination.answer;
      if (answer.ok || examination.peer === peer || !peer.isAlive()) return answer;
      // It was made through the connection of another call, and that has gone: its failure says nothing about us.
      if (examination.peer.isAlive()) return answer;
    }
  }

  /** L3 */
  #examinationOf(peer: PeerCredentials): Examination {
    const process = `${peer.pid} ${peer.startTime}`;
    const waiting = this.#next.get(process);
    if (waiting !== undefined) return waiting;
    const before = this.#running.get(process)?.answer;
    const examination: Examination = { peer, answer: this.#examineAfter(before, process, peer) };
    this.#next.set(process, examination);
    return examination;
  }

  async #examineAfter(before: Promise<unknown> | undefined, process: string, peer: PeerCredentials): Promise<Answer> {
    await before;
    let leave: (() => void) | undefined;
    try {
      leave = await this.#turn();
      const examination = this.#next.get(process);
      this.#next.delete(process);
      if (examination !== undefined) this.#running.set(process, examination);
      return { ok: true, selectors: await this.#examine(peer) };
    } catch (error) {
      this.#next.delete(process);
      const turnedAway = leave === undefined && error instanceof GrpcError && error.code === Code.UNAVAILABLE;
      return { ok: false, error, turnedAway };
    } finally {
      this.#running.delete(process);
      leave?.();
    }
  }

  /** L2; L1 while waiting. @throws GrpcError `UNAVAILABLE` for lack of room, `DEADLINE_EXCEEDED` */
  async #turn(): Promise<() => void> {
    const tired = new AbortController();
    if (!this.#admission.isFull) return await this.#admission.enter(tired.signal);
    const done = new AbortController();
    void this.#standsStill(done.signal).then((still) => {
      if (still) tired.abort(GrpcError.of(Code.DEADLINE_EXCEEDED, 'it has answered nobody for long'));
    });
    try {
      return await this.#admission.enter(tired.signal);
    } finally {
      done.abort(DONE);
    }
  }

  async #standsStill(signal: AbortSignal): Promise<boolean> {
    const { clock, timeout } = this.#parts;
    try {
      for (let answered = -1; answered !== this.#answered; ) {
        answered = this.#answered;
        await patience(clock, timeout, signal);
      }
      return true;
    } catch {
      return false;
    }
  }

  /** L1 */
  async #examine(peer: PeerCredentials): Promise<readonly Selector[]> {
    const { attestor, clock, timeout, failures, meter } = this.#parts;
    const limit = new AbortController();
    const done = new AbortController();
    const tooLate = () => limit.abort(GrpcError.of(Code.DEADLINE_EXCEEDED, `no answer within ${timeout} s`));
    patience(clock, timeout, done.signal).then(tooLate, () => {});
    const work = () => orAborted(attestor.attest(peer, limit.signal), limit.signal);
    try {
      return await measureCall(meter, 'workload_api.workload_attestor', work, { attestor: attestor.type });
    } catch (error) {
      failures.note(peer.pid, error);
      throw error;
    } finally {
      if (!limit.signal.aborted) this.#answered++;
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
