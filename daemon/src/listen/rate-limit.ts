import { Code, GrpcError, retryInfo } from '@steeple/proto/grpc';
import type { Clock } from '../clock.ts';

export interface RateLimit {
  /** Tokens per second. */
  readonly rate: number;
  /** Most tokens a key can have, and most it can take at once. Default: the rate. */
  readonly burst?: number;
  readonly clock: Clock;
  /** Seconds that a caller is kept waiting at most; who would wait longer is refused. Default: as long as it takes. */
  readonly maxWait?: number;
  /** Keys remembered; further ones share one bucket until others are full again. */
  readonly maxKeys?: number;
}

/** `tokens` as of `at`; below zero while callers wait for tokens they have been promised. */
interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket per key. Callers wait in the order they came, instead of being refused. */
export class RateLimiter {
  readonly #rate: number;
  readonly #burst: number;
  readonly #clock: Clock;
  readonly #maxWait: number;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Bucket>();
  readonly #shared: Bucket;
  #nextSweep: number;

  constructor({ rate, burst = rate, clock, maxWait = Number.POSITIVE_INFINITY, maxKeys = 10_000 }: RateLimit) {
    if (!(rate > 0) || !(burst > 0)) throw new RangeError('rate and burst must be positive');
    this.#rate = rate;
    this.#burst = burst;
    this.#clock = clock;
    this.#maxWait = maxWait;
    this.#maxKeys = maxKeys;
    const now = clock.monotonic();
    this.#shared = { tokens: burst, at: now };
    this.#nextSweep = now;
  }

  /** Keys remembered now. */
  get keys(): number {
    return this.#buckets.size;
  }

  /** Waits until the key may spend n tokens. Throws RESOURCE_EXHAUSTED if it never may, or the signal's reason. */
  async take(key: string, n = 1, signal?: AbortSignal): Promise<void> {
    if (n > this.#burst) {
      throw GrpcError.of(Code.RESOURCE_EXHAUSTED, `rate (${n}) exceeds burst size (${this.#burst})`);
    }
    signal?.throwIfAborted();
    const now = this.#clock.monotonic();
    const bucket = this.#bucketOf(key, now);
    this.#refill(bucket, now);
    const wait = (n - bucket.tokens) / this.#rate;
    if (wait > this.#maxWait) {
      const message = `too many callers are waiting; try again in ${Math.ceil(wait)} seconds`;
      throw GrpcError.of(Code.RESOURCE_EXHAUSTED, message, retryInfo(wait));
    }
    bucket.tokens -= n;
    if (bucket.tokens >= 0) return;
    try {
      await this.#clock.sleep(-bucket.tokens / this.#rate, signal);
    } catch (error) {
      bucket.tokens += n;
      throw signal?.aborted ? signal.reason : error;
    }
  }

  /** Spends n tokens of the key if they are there now; tells whether they were. */
  tryTake(key: string, n = 1): boolean {
    const now = this.#clock.monotonic();
    const bucket = this.#bucketOf(key, now);
    this.#refill(bucket, now);
    if (bucket.tokens < n) return false;
    bucket.tokens -= n;
    return true;
  }

  #bucketOf(key: string, now: number): Bucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#maxKeys) this.#sweep(now);
    if (this.#buckets.size >= this.#maxKeys) return this.#shared;
    const bucket = { tokens: this.#burst, at: now };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #refill(bucket: Bucket, now: number): void {
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#rate);
    bucket.at = now;
  }

  /** Forgets full buckets: a new one is just as full. Not at every call, for it looks at all of them. */
  #sweep(now: number): void {
    if (now < this.#nextSweep) return;
    this.#nextSweep = now + this.#burst / this.#rate;
    for (const [key, bucket] of this.#buckets) {
      this.#refill(bucket, now);
      if (bucket.tokens >= this.#burst) this.#buckets.delete(key);
    }
  }
}
