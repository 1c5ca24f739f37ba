import { credentials } from '@grpc/grpc-js';
import { type CallOptions, createClient, type ServiceClient } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import type { BundleSet, HeldWitSvid, JwtSvid, SpiffeId } from '@steeple/spiffe';
import { grpcTarget, resolveEndpoint } from '../endpoint-address.ts';
import { ClientError } from '../errors.ts';
import { type ClientRim, systemRim } from '../rim.ts';
import { readJwtBundles, readWitBundles, readX509Bundles } from './read-bundles.ts';
import { readJwtSvids, readValidation, type ValidatedJwtSvid } from './read-jwt-svids.ts';
import { readWitSvids } from './read-wit-svids.ts';
import { readX509Context, type X509Context } from './read-x509-context.ts';
import { type WatchEvent, watch } from './watch.ts';

/** Every request says that it is meant for a Workload API (SPIFFE Workload Endpoint, section 3). */
const METADATA = { 'workload.spiffe.io': 'true' };

export interface WorkloadApiOptions {
  /** Address; default: the environment variable `SPIFFE_ENDPOINT_SOCKET`. */
  readonly address?: string | undefined;
  /** Environment to read instead of the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Time and chance, for tests. */
  readonly rim?: ClientRim | undefined;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Seconds from now. */
  readonly timeout?: number | undefined;
}

/** What a JWT-SVID is requested for. */
export interface JwtSvidRequest {
  /** At least one, none empty. */
  readonly audience: readonly string[];
  /** Only the JWT-SVID of this identity; default: one for each identity. */
  readonly id?: SpiffeId | undefined;
}

/**
 * The SPIFFE Workload API as functions. `fetch…` asks once and throws; `watch…` follows a stream across reconnections and
 * ends when its signal aborts, when the client is closed, or with a final error.
 *
 * Failures are `GrpcError` (the agent's status) or `ClientError` (`invalid-response`, `timeout`, `closed`).
 */
export class WorkloadApiClient implements AsyncDisposable {
  readonly #rpc: ServiceClient<typeof SpiffeWorkloadAPI>;
  readonly #rim: ClientRim;
  readonly #closed = new AbortController();

  /** Connects lazily. @throws ClientError `no-endpoint`, `invalid-endpoint` */
  constructor(options: WorkloadApiOptions = {}) {
    const address = resolveEndpoint(options.address, options.environment ?? process.env);
    this.#rim = options.rim ?? systemRim;
    this.#rpc = createClient(SpiffeWorkloadAPI, {
      address: grpcTarget(address),
      credentials: credentials.createInsecure(),
      options: {
        // The endpoint is local by definition.
        'grpc.enable_http_proxy': 0,
        'grpc.use_local_subchannel_pool': 1,
        // How long to back off is decided in watch.ts alone.
        'grpc.initial_reconnect_backoff_ms': 50,
        'grpc.max_reconnect_backoff_ms': 250,
        'grpc.max_receive_message_length': 64 * 1024 * 1024,
      },
    });
  }

  fetchX509Context(options?: RequestOptions): Promise<X509Context> {
    return this.#first((call) => this.#rpc.fetchX509SVID({}, call), this.#readX509Context, options);
  }

  watchX509Context(signal?: AbortSignal): AsyncIterable<WatchEvent<X509Context>> {
    return this.#watch((call) => this.#rpc.fetchX509SVID({}, call), this.#readX509Context, signal);
  }

  fetchX509Bundles(options?: RequestOptions): Promise<BundleSet> {
    return this.#first((call) => this.#rpc.fetchX509Bundles({}, call), readX509Bundles, options);
  }

  watchX509Bundles(signal?: AbortSignal): AsyncIterable<WatchEvent<BundleSet>> {
    return this.#watch((call) => this.#rpc.fetchX509Bundles({}, call), readX509Bundles, signal);
  }

  /** One JWT-SVID per identity; the first is the default one. */
  async fetchJwtSvids({ audience, id }: JwtSvidRequest, options?: RequestOptions): Promise<JwtSvid[]> {
    const request = { audience: [...audience], spiffeId: id?.toString() ?? '' };
    const message = await this.#once((call) => this.#rpc.fetchJWTSVID(request, call), options);
    return readJwtSvids(message, audience, this.#rim.now());
  }

  fetchJwtBundles(options?: RequestOptions): Promise<BundleSet> {
    return this.#first((call) => this.#rpc.fetchJWTBundles({}, call), readJwtBundles, options);
  }

  watchJwtBundles(signal?: AbortSignal): AsyncIterable<WatchEvent<BundleSet>> {
    return this.#watch((call) => this.#rpc.fetchJWTBundles({}, call), readJwtBundles, signal);
  }

  /** Lets the agent judge a JWT-SVID; `audience` is our own. An invalid one is a `GrpcError` INVALID_ARGUMENT. */
  async validateJwtSvid(token: string, audience: string, options?: RequestOptions): Promise<ValidatedJwtSvid> {
    return readValidation(
      await this.#once((call) => this.#rpc.validateJWTSVID({ svid: token, audience }, call), options),
    );
  }

  /** One WIT-SVID per identity, or only that of `id`. */
  fetchWitSvids(id?: SpiffeId, options?: RequestOptions): Promise<HeldWitSvid[]> {
    const request = { spiffeId: id?.toString() ?? '' };
    return this.#first((call) => this.#rpc.fetchWITSVID(request, call), this.#readWitSvids, options);
  }

  watchWitSvids(id?: SpiffeId, signal?: AbortSignal): AsyncIterable<WatchEvent<HeldWitSvid[]>> {
    const request = { spiffeId: id?.toString() ?? '' };
    return this.#watch((call) => this.#rpc.fetchWITSVID(request, call), this.#readWitSvids, signal);
  }

  fetchWitBundles(options?: RequestOptions): Promise<BundleSet> {
    return this.#first((call) => this.#rpc.fetchWITBundles({}, call), readWitBundles, options);
  }

  watchWitBundles(signal?: AbortSignal): AsyncIterable<WatchEvent<BundleSet>> {
    return this.#watch((call) => this.#rpc.fetchWITBundles({}, call), readWitBundles, signal);
  }

  /** Ends all watches and the connection. */
  async close(): Promise<void> {
    this.#closed.abort(new ClientError('closed', 'the Workload API client is closed'));
    this.#rpc.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #readX509Context = (message: Parameters<typeof readX509Context>[0]) =>
    readX509Context(message, this.#rim.now());
  readonly #readWitSvids = (message: Parameters<typeof readWitSvids>[0]) => readWitSvids(message, this.#rim.now());

  #watch<M, T>(open: (call: CallOptions) => AsyncIterable<M>, read: (message: M) => T, signal?: AbortSignal) {
    const either = signal === undefined ? this.#closed.signal : AbortSignal.any([signal, this.#closed.signal]);
    return watch((live) => open({ signal: live, metadata: METADATA }), read, this.#rim, either);
  }

  async #once<M>(ask: (call: CallOptions) => Promise<M>, options: RequestOptions = {}): Promise<M> {
    const signals = [this.#closed.signal, ...(options.signal === undefined ? [] : [options.signal])];
    const signal = AbortSignal.any(signals);
    signal.throwIfAborted();
    try {
      const deadline = options.timeout === undefined ? {} : { deadline: options.timeout };
      return await ask({ signal, metadata: METADATA, ...deadline });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  #first<M, T>(open: (call: CallOptions) => AsyncIterable<M>, read: (message: M) => T, options?: RequestOptions) {
    const ask = async (call: CallOptions): Promise<T> => {
      for await (const message of open(call)) return read(message);
      throw new ClientError('invalid-response', 'the Workload API ended the stream without a message');
    };
    return this.#once(ask, options);
  }
}
