import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { toBinary } from '@bufbuild/protobuf';
import { type CallContext, Code, GrpcError } from '@steeple/proto/grpc';
import type { IdentityCache, SubscribeOptions } from '../app/identity-cache.ts';
import { noIdentity } from '../app/workload-attestation.ts';
import { type WorkloadView, withoutDuplicateHints } from '../app/workload-view.ts';
import type { Callers } from './callers.ts';
import { oncePer } from './once-per.ts';

export interface WorkloadCallsParts {
  readonly cache: IdentityCache;
  readonly callers: Callers;
}

type Views = AsyncGenerator<WorkloadView, void, undefined>;

export interface StreamOptions<T> extends SubscribeOptions {
  /** The message of a view; undefined to wait for the next one; throws to end the stream. */
  readonly project: (view: WorkloadView, signal: AbortSignal) => T | undefined | Promise<T | undefined>;
  /** Wraps the views, for messages that also change with time. */
  readonly through?: (views: Views, signal: AbortSignal) => Views;
}

/** What all calls of the Workload API have in common: who calls, and streams that send a message when it says something new. */
export class WorkloadCalls {
  readonly #parts: WorkloadCallsParts;
  readonly #distinct = oncePer(withoutDuplicateHints);
  readonly #encoders = new Map<DescMessage, (message: never) => Uint8Array>();

  constructor(parts: WorkloadCallsParts) {
    this.#parts = parts;
  }

  /** What the caller is entitled to now. */
  async view(ctx: CallContext): Promise<WorkloadView> {
    const caller = await this.#parts.callers.attest(ctx);
    caller.release();
    return this.#distinct(this.#parts.cache.view(caller.selectors));
  }

  /** The first message at once, then one for each change that the caller can see (Workload API section 4.3). */
  async *stream<S extends DescMessage>(
    schema: S,
    ctx: CallContext,
    options: StreamOptions<MessageShape<S>>,
  ): AsyncGenerator<MessageShape<S>, void, undefined> {
    const { selectors, signal, release } = await this.#parts.callers.attest(ctx);
    try {
      const bytesOf = this.#bytesOf(schema);
      const views = this.#parts.cache.subscribe(selectors, signal, options);
      let sent: Uint8Array | undefined;
      for await (const view of options.through?.(views, signal) ?? views) {
        const message = await options.project(this.#distinct(view), signal);
        if (message === undefined) continue;
        const bytes = bytesOf(message);
        if (sent !== undefined && Buffer.compare(sent, bytes) === 0) continue;
        sent = bytes;
        yield message;
      }
      // The views end only with the signal; its reason is the stream's status.
      throw signal.reason;
    } finally {
      release();
    }
  }

  /** At least one entry, or a refusal. Before the first answer of the server, nobody can be refused for good. */
  requireEntries(view: WorkloadView): WorkloadView {
    if (view.entries.length > 0) return view;
    if (!this.#parts.cache.synced) throw notYet();
    throw noIdentity();
  }

  get synced(): boolean {
    return this.#parts.cache.synced;
  }

  /** Encodes a message that many streams share only once. */
  #bytesOf<S extends DescMessage>(schema: S): (message: MessageShape<S>) => Uint8Array {
    const known = this.#encoders.get(schema) as ((message: MessageShape<S>) => Uint8Array) | undefined;
    if (known !== undefined) return known;
    const encode = oncePer((message: MessageShape<S>) => toBinary(schema, message));
    this.#encoders.set(schema, encode);
    return encode;
  }
}

/** Clients come again after this status. */
export function notYet(message = 'the agent has not heard from its server yet'): GrpcError {
  return GrpcError.of(Code.UNAVAILABLE, message);
}
