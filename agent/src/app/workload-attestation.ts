import { formatSelector, type Selector } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { type CallMeter, measureCall } from '@steeple/daemon/metrics';
import type { WorkloadAttestor } from '@steeple/plugins';
import { Code, GrpcError, orAborted } from '@steeple/proto/grpc';
import { AttestorFailures } from './attestor-failures.ts';
import { type Answer, AttestorLane } from './attestor-lane.ts';
import { noIdentity } from './no-identity.ts';

export interface WorkloadAttestationParts {
  readonly attestors: readonly WorkloadAttestor[];
  /** Whether more selectors of these types could entitle who has these selectors to more. */
  readonly couldMatter: (known: ReadonlySet<string>, types: ReadonlySet<string>) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Seconds that one attestor may take. */
  readonly timeout: number;
  readonly meter: CallMeter;
  /** Questions to one attestor at the same time, and waiting. */
  readonly limits?: { readonly running: number; readonly waiting: number };
}

/** What is known of a caller. */
export interface Attested {
  readonly selectors: readonly Selector[];
  /** The attestors that failed, so that their selectors are missing. */
  readonly failed: readonly string[];
  /** What had not come when it could make no difference; undefined if all had. */
  readonly rest?: Missing | undefined;
}

/** Answers that were not waited for. */
export interface Missing {
  /** Of their selectors. */
  readonly types: ReadonlySet<string>;
  /** What is known when they are there. Never rejects. */
  readonly attested: Promise<Attested>;
}

/**
 * Finds out who is calling.
 *
 * W1. All attestors run in parallel, each in its own lane and with its own time limit; one that fails adds nothing.
 * W2. If all fail we do not know who it is: that is our failure (Unavailable), not the caller's.
 * W3. The caller is the same living process after attestation as before, or it gets nothing.
 * W4. Who is turned away for lack of room is told to come again, if it could have made a difference.
 * W5. An answer is not waited for if it could make no difference: if no entry is left that has selectors of that attestor and
 *     otherwise only such as the caller is known to have. So a caller never gets less than with all answers, and an attestor
 *     that hangs delays nobody else.
 */
export class WorkloadAttestation {
  readonly #parts: WorkloadAttestationParts;
  readonly #lanes: readonly AttestorLane[];

  constructor(parts: WorkloadAttestationParts) {
    const { attestors, limits = { running: 64, waiting: 8192 }, ...more } = parts;
    this.#parts = parts;
    this.#lanes = attestors.map((attestor) => {
      return new AttestorLane({ ...more, attestor, limits, failures: new AttestorFailures(attestor.type, parts) });
    });
  }

  /** @throws GrpcError `PERMISSION_DENIED` for a dead caller, `UNAVAILABLE` */
  attest(peer: PeerCredentials, signal: AbortSignal): Promise<Attested> {
    const { meter } = this.#parts;
    return measureCall(meter, 'workload_api.workload_attestation', async () => {
      const attested = await this.#attest(peer, signal);
      meter.metrics.sample('workload_api.discovered_selectors', attested.selectors.length);
      return attested;
    });
  }

  async #attest(peer: PeerCredentials, signal: AbortSignal): Promise<Attested> {
    signal.throwIfAborted();
    if (!peer.isAlive()) throw noIdentity(); // W3
    const inquiry = new Inquiry(this.#lanes, peer, this.#parts.couldMatter);
    await orAborted(inquiry.enough, signal);
    if (!peer.isAlive()) throw noIdentity(); // W3
    const found = inquiry.found();
    if (inquiry.isOver) return found;
    const all = async () => {
      await inquiry.over;
      return peer.isAlive() ? inquiry.found() : found; // W3
    };
    return { ...found, rest: { types: inquiry.missing, attested: all().catch(() => found) } };
  }
}

/** The questions about one process, and the answers so far. */
class Inquiry {
  readonly #lanes: readonly AttestorLane[];
  readonly #answers = new Map<AttestorLane, Answer>();
  readonly #couldMatter: WorkloadAttestationParts['couldMatter'];
  readonly #enough = Promise.withResolvers<void>();
  readonly over: Promise<unknown>;

  constructor(
    lanes: readonly AttestorLane[],
    peer: PeerCredentials,
    couldMatter: WorkloadAttestationParts['couldMatter'],
  ) {
    this.#lanes = lanes;
    this.#couldMatter = couldMatter;
    this.over = Promise.all(lanes.map(async (lane) => this.#take(lane, await lane.ask(peer))));
  }

  /** Resolves when no missing answer could make a difference (W5). */
  get enough(): Promise<void> {
    return this.#enough.promise;
  }

  get isOver(): boolean {
    return this.#answers.size === this.#lanes.length;
  }

  get missing(): ReadonlySet<string> {
    return new Set(this.#lanes.filter((lane) => !this.#answers.has(lane)).map(({ type }) => type));
  }

  /** @throws GrpcError `UNAVAILABLE` */
  found(): Attested {
    const failures = [...this.#answers].flatMap(([{ type }, answer]) => (answer.ok ? [] : [{ type, answer }]));
    const away = failures.filter(({ answer }) => answer.turnedAway);
    const [first] = away;
    if (first !== undefined && this.#matters(new Set(away.map(({ type }) => type)))) throw first.answer.error; // W4
    const failed = failures.map(({ type }) => type);
    if (failed.length === this.#lanes.length) throw notExamined(failed); // W2
    return { selectors: this.#selectors(), failed };
  }

  #take(lane: AttestorLane, answer: Answer): void {
    this.#answers.set(lane, answer);
    const somethingKnown = [...this.#answers.values()].some(({ ok }) => ok);
    if (this.isOver || (somethingKnown && !this.#matters(this.missing))) this.#enough.resolve();
  }

  #matters(types: ReadonlySet<string>): boolean {
    return this.#couldMatter(new Set(this.#selectors().map(formatSelector)), types);
  }

  #selectors(): readonly Selector[] {
    return this.#lanes.flatMap((lane) => {
      const answer = this.#answers.get(lane);
      return answer?.ok === true ? answer.selectors : [];
    });
  }
}

function notExamined(failed: readonly string[]): GrpcError {
  return GrpcError.of(Code.UNAVAILABLE, `the calling process could not be examined by: ${failed.join(', ')}`);
}
