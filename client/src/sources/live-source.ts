import { ClientError } from '../errors.ts';
import type { WatchEvent } from '../workload-api/watch.ts';
import { WorkloadApiClient, type WorkloadApiOptions } from '../workload-api/workload-api-client.ts';

/** How a source is opened. */
export interface SourceOptions extends WorkloadApiOptions {
  /** A client to share; it is not closed with the source. Default: one of its own. */
  readonly client?: WorkloadApiClient | undefined;
  /** Aborts the wait for the first state. */
  readonly signal?: AbortSignal | undefined;
  /** Seconds to wait for the first state; default: as long as it takes. */
  readonly timeout?: number | undefined;
}

/** What a source tells its listeners. None of them needs to be listened to. */
export interface SourceEvents<T> {
  /** A new full state. */
  update: T;
  /** The workload is entitled to nothing any more; the source gives nothing until the next update. */
  withdrawn: Error;
  /** Connection lost, or a broken message dropped; the last state stands. */
  error: Error;
}

type State<T> =
  | { readonly kind: 'waiting'; readonly error?: Error }
  | { readonly kind: 'current'; readonly value: T }
  | { readonly kind: 'withdrawn' | 'failed' | 'closed'; readonly error: Error };

type Listeners<T> = { [E in keyof SourceEvents<T>]: Set<(value: SourceEvents<T>[E]) => void> };

/**
 * The latest state of one Workload API stream. Invariants: (1) what the API withdrew is not given out again, (2) a lost
 * connection or a broken message changes nothing, (3) after `close` nothing is given out.
 */
export abstract class LiveSource<T> implements AsyncDisposable, AsyncIterable<T> {
  #state: State<T> = { kind: 'waiting' };
  #changed = Promise.withResolvers<void>();
  readonly #listeners: Listeners<T> = { update: new Set(), withdrawn: new Set(), error: new Set() };
  readonly #stop = new AbortController();
  readonly #release: () => Promise<void>;
  readonly #following: Promise<void>;

  protected constructor(
    options: SourceOptions,
    watch: (client: WorkloadApiClient, signal: AbortSignal) => AsyncIterable<WatchEvent<T>>,
  ) {
    const client = options.client ?? new WorkloadApiClient(options);
    this.#release = options.client === undefined ? () => client.close() : async () => {};
    this.#following = this.#follow(watch(client, this.#stop.signal));
  }

  /** Calls `listener` at each event until the returned function is called. */
  on<E extends keyof SourceEvents<T>>(event: E, listener: (value: SourceEvents<T>[E]) => void): () => void {
    const listeners: Set<(value: SourceEvents<T>[E]) => void> = this.#listeners[event];
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /**
   * Calls `listener` after each change of what the source gives out, withdrawal and a final failure included, until the
   * returned function is called. Closing the source is the application's own doing and no such change.
   */
  onChange(listener: () => void): () => void {
    const ends = [
      this.on('update', listener),
      this.on('withdrawn', listener),
      this.on('error', () => {
        if (this.#state.kind === 'failed') listener();
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** The present state and each later one; a slow reader skips to the newest. Ends when the source is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let last: State<T> | undefined;
    for (;;) {
      const state = this.#state;
      if (state.kind === 'closed') return;
      if (state.kind === 'failed') throw state.error;
      const { promise } = this.#changed;
      if (state.kind === 'current' && state !== last) yield state.value;
      last = state;
      if (this.#state === state) await promise;
    }
  }

  /** Stops following the Workload API. Nothing is given out afterwards. */
  async close(): Promise<void> {
    if (this.#state.kind === 'closed') return;
    this.#enter({ kind: 'closed', error: new ClientError('closed', 'the source is closed') });
    this.#stop.abort();
    await this.#release();
    await this.#following;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The present state; `undefined` while there is none. */
  protected peek(): T | undefined {
    return this.#state.kind === 'current' ? this.#state.value : undefined;
  }

  /** The present state. @throws ClientError `no-svid` or `closed`, or the final error of the Workload API */
  protected current(): T {
    const state = this.#state;
    switch (state.kind) {
      case 'current':
        return state.value;
      case 'waiting':
        throw new ClientError('no-svid', 'nothing received from the Workload API yet');
      case 'withdrawn':
        throw new ClientError('no-svid', `withdrawn by the Workload API: ${state.error.message}`, {
          cause: state.error,
        });
      case 'failed':
      case 'closed':
        throw state.error;
    }
  }

  /** Resolves at the first state; closes the source and rejects if it does not come. */
  protected async opened({ signal, timeout }: SourceOptions): Promise<this> {
    const signals = [signal, timeout === undefined ? undefined : AbortSignal.timeout(timeout * 1000)];
    const limit = AbortSignal.any(signals.filter((one) => one !== undefined));
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(this.#openingError(signal, timeout));
    limit.addEventListener('abort', onAbort, { once: true });
    if (limit.aborted) onAbort();
    try {
      while (this.#state.kind === 'waiting' || this.#state.kind === 'withdrawn') {
        await Promise.race([this.#changed.promise, aborted.promise]);
      }
      if (this.#state.kind === 'failed' || this.#state.kind === 'closed') throw this.#state.error;
      return this;
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      limit.removeEventListener('abort', onAbort);
      aborted.promise.catch(() => {});
    }
  }

  #openingError(signal: AbortSignal | undefined, timeout: number | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    const error = 'error' in this.#state ? this.#state.error : undefined;
    const reason = error === undefined ? '' : `; last error: ${error.message}`;
    return new ClientError('timeout', `nothing from the Workload API within ${timeout} s${reason}`, { cause: error });
  }

  async #follow(events: AsyncIterable<WatchEvent<T>>): Promise<void> {
    try {
      for await (const event of events) this.#apply(event);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#enter({ kind: 'failed', error });
      this.#tell('error', error);
    }
    const error = new ClientError('closed', 'the Workload API client is closed');
    if (this.#state.kind !== 'failed') this.#enter({ kind: 'closed', error });
  }

  #apply(event: WatchEvent<T>): void {
    if (this.#state.kind === 'closed') return;
    switch (event.kind) {
      case 'update':
        this.#enter({ kind: 'current', value: event.value });
        return this.#tell('update', event.value);
      case 'withdrawn':
        this.#enter({ kind: 'withdrawn', error: event.error });
        return this.#tell('withdrawn', event.error);
      case 'error':
        if (this.#state.kind === 'waiting') this.#state = { kind: 'waiting', error: event.error };
        return this.#tell('error', event.error);
    }
  }

  #enter(state: State<T>): void {
    if (this.#state.kind === 'closed') return;
    this.#state = state;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #tell<E extends keyof SourceEvents<T>>(event: E, value: SourceEvents<T>[E]): void {
    const listeners: Set<(value: SourceEvents<T>[E]) => void> = this.#listeners[event];
    for (const listener of listeners) {
      try {
        listener(value);
      } catch (error) {
        // A listener's fault is the application's to see, and must not stop the source.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
