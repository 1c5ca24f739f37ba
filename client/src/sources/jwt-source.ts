import { Code, GrpcError } from '@steeple/proto/grpc';
import { type JwtSvid, type SpiffeId, verifyJwtSvid } from '@steeple/spiffe';
import { type ClientRim, systemRim } from '../rim.ts';
import type { ValidatedJwtSvid } from '../workload-api/read-jwt-svids.ts';
import { isFinal } from '../workload-api/watch.ts';
import { type RequestOptions, WorkloadApiClient } from '../workload-api/workload-api-client.ts';
import { WorkloadBundleSource } from './bundle-sources.ts';
import type { SourceOptions } from './live-source.ts';
import { type PickOptions, pickSvid } from './pick.ts';

export type JwtSourceOptions = SourceOptions &
  PickOptions<JwtSvid> & {
    /** Who judges the tokens of peers: the agent (default), or this process with the JWT bundles it follows. */
    readonly validation?: 'agent' | 'local' | undefined;
  };

export type JwtFetchOptions = RequestOptions & {
  /** The JWT-SVID of this identity; default: the source's choice among all. */
  readonly id?: SpiffeId | undefined;
};

/** More audiences than this are not remembered; the least recently fetched goes first. */
const MAX_CACHED = 1024;
/** Seconds of life a token must have left to be given out when no newer one can be had. */
const MIN_LIFE = 5;

/** Gives out JWT-SVIDs, fetched when first needed and again at half of their life, and validates those of peers. */
export class JwtSource implements AsyncDisposable {
  readonly #client: WorkloadApiClient;
  readonly #bundles: WorkloadBundleSource | undefined;
  readonly #options: JwtSourceOptions;
  readonly #rim: ClientRim;
  readonly #cache = new Map<string, readonly JwtSvid[]>();
  readonly #running = new Map<string, Promise<readonly JwtSvid[]>>();

  /** Resolves at once; with local validation, when the first JWT bundles have come. */
  static async open(options: JwtSourceOptions = {}): Promise<JwtSource> {
    const client = options.client ?? new WorkloadApiClient(options);
    try {
      const local = options.validation === 'local';
      const bundles = local ? await WorkloadBundleSource.openJwt({ ...options, client }) : undefined;
      return new JwtSource(client, bundles, options);
    } catch (error) {
      if (options.client === undefined) await client.close();
      throw error;
    }
  }

  private constructor(client: WorkloadApiClient, bundles: WorkloadBundleSource | undefined, options: JwtSourceOptions) {
    this.#client = client;
    this.#bundles = bundles;
    this.#options = options;
    this.#rim = options.rim ?? systemRim;
  }

  /**
   * A JWT-SVID for the audience, one value being best. It is a bearer token: `Authorization: Bearer …`, never logged.
   *
   * @throws GrpcError (PERMISSION_DENIED: no such identity), ClientError
   */
  async fetch(audience: string | readonly string[], options: JwtFetchOptions = {}): Promise<JwtSvid> {
    const wanted = typeof audience === 'string' ? [audience] : audience;
    const key = JSON.stringify([options.id?.toString() ?? '', ...wanted]);
    const cached = this.#cache.get(key);
    if (cached !== undefined && this.#isFresh(cached)) return pickSvid(cached, this.#options);
    try {
      return pickSvid(await this.#refresh(key, wanted, options), this.#options);
    } catch (error) {
      if (cached === undefined || !this.#mayOutlive(error, cached)) throw error;
      return pickSvid(cached, this.#options);
    }
  }

  /** The header field that presents a JWT-SVID in an HTTP request or a gRPC call (JWT-SVID sections 5.2 and 5.3). */
  async headers(audience: string, options?: JwtFetchOptions): Promise<{ authorization: string }> {
    return { authorization: `Bearer ${(await this.fetch(audience, options)).token}` };
  }

  /**
   * Checks a peer's JWT-SVID; `audience` is our own.
   *
   * @throws GrpcError INVALID_ARGUMENT (the agent refused it) or SpiffeError (we did): the token is invalid
   */
  async validate(token: string, audience: string, options?: RequestOptions): Promise<ValidatedJwtSvid> {
    if (this.#bundles === undefined) return this.#client.validateJwtSvid(token, audience, options);
    const { id, claims } = verifyJwtSvid(token, this.#bundles, [audience], { now: this.#rim.now() });
    return { id, claims };
  }

  /** Forgets all tokens and the connection. */
  async close(): Promise<void> {
    this.#cache.clear();
    await this.#bundles?.close();
    if (this.#options.client === undefined) await this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Callers asking for the same at the same time share one request, unless one of them wants to be able to abort it.
  #refresh(key: string, audience: readonly string[], options: JwtFetchOptions): Promise<readonly JwtSvid[]> {
    const shareable = options.signal === undefined && options.timeout === undefined;
    const running = shareable ? this.#running.get(key) : undefined;
    if (running !== undefined) return running;
    const request = this.#request(key, audience, options);
    if (!shareable) return request;
    const shared = request.finally(() => this.#running.delete(key));
    this.#running.set(key, shared);
    return shared;
  }

  async #request(key: string, audience: readonly string[], options: JwtFetchOptions): Promise<readonly JwtSvid[]> {
    try {
      const svids = await this.#client.fetchJwtSvids({ audience, id: options.id }, options);
      this.#cache.delete(key);
      this.#cache.set(key, svids);
      const oldest = this.#cache.keys().next();
      if (this.#cache.size > MAX_CACHED && !oldest.done) this.#cache.delete(oldest.value);
      return svids;
    } catch (error) {
      // Withdrawn: what was given for the same request must not be used any longer (WAPI-27).
      if (isDenied(error) || isFinal(error)) this.#cache.delete(key);
      throw error;
    }
  }

  #isFresh(svids: readonly JwtSvid[]): boolean {
    const now = this.#rim.now();
    return svids.every(({ issuedAt, expiresAt }) => issuedAt !== undefined && now < (issuedAt + expiresAt) / 2);
  }

  #mayOutlive(error: unknown, cached: readonly JwtSvid[]): boolean {
    if (isDenied(error) || isFinal(error)) return false;
    const now = this.#rim.now();
    return cached.every(({ expiresAt }) => expiresAt - now > MIN_LIFE);
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof GrpcError && error.code === Code.PERMISSION_DENIED;
}
