import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { type CallContext, Code, type Encoded, GrpcError } from '@steeple/proto/grpc';
import { viewsOf } from '../app/caller-views.ts';
import type { IdentityCache, SubscribeOptions } from '../app/identity-cache.ts';
import { explained, noIdentity } from '../app/no-identity.ts';
import { type WorkloadView, withoutDuplicateHints } from '../app/workload-view.ts';
import type { Callers } from './callers.ts';
import { News } from './distinct-messages.ts';
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

  constructor(parts: WorkloadCallsParts) {
    this.#parts = parts;
  }

  /** Answers by what the caller is entitled to now. */
  async answer<T>(ctx: CallContext, respond: (view: WorkloadView) => T | Promise<T>): Promise<T> {
    const caller = await this.#parts.callers.attest(ctx);
    caller.release();
    try {
      return await respond(this.#distinct(this.#parts.cache.view(caller.selectors)));
    } catch (error) {
      throw explained(error, caller.failed);
    }
  }

  /** The first message at once, then one for each change that the caller can see (Workload API section 4.3). */
  async *stream<S extends DescMessage>(
    schema: S,
    ctx: CallContext,
    options: StreamOptions<MessageShape<S>>,
  ): AsyncGenerator<Encoded<S>, void, undefined> {
    const caller = await this.#parts.callers.attest(ctx);
    const { signal } = caller;
    try {
      const views = viewsOf(this.#parts.cache, caller, options);
      const news = new News(schema);
      // In one loop, not in layers of generators: there are thousands of these.
      for await (const view of options.through?.(views, signal) ?? views) {
        const message = await options.project(this.#distinct(view), signal);
        const encoded = message && news.in(message);
        if (encoded !== undefined) yield encoded;
      }
      // The views end only with the signal; its reason is the stream's status.
      throw signal.reason;
    } catch (error) {
      throw explained(error, caller.failed);
    } finally {
      caller.release();
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
}

/** Clients come again after this status. */
export function notYet(message = 'the agent has not heard from its server yet'): GrpcError {
  return GrpcError.of(Code.UNAVAILABLE, message);
}
