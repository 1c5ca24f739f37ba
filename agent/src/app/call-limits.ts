import { createHash } from 'node:crypto';
import type { Selector } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import { RateLimiter } from '@steeple/daemon/listen';
import type { Metrics } from '@steeple/daemon/metrics';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { selectorKeys } from './agent-entry.ts';

export interface CallLimitsParts {
  /** Calls per second, and at once, by full method name. Methods that are not named, or have 0, are not limited. */
  readonly limits: ReadonlyMap<string, number>;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Limits how often workloads with the same selectors may call a method. Who calls too often is refused, not kept waiting. */
export class CallLimits {
  readonly #limiters = new Map<string, RateLimiter>();
  readonly #metrics: Metrics;

  constructor({ limits, clock, metrics }: CallLimitsParts) {
    this.#metrics = metrics;
    for (const [method, rate] of limits) if (rate > 0) this.#limiters.set(method, new RateLimiter({ rate, clock }));
  }

  /** @throws GrpcError `UNAVAILABLE`: the caller may come again */
  take(method: string, selectors: readonly Selector[]): void {
    const limiter = this.#limiters.get(method);
    if (limiter === undefined || limiter.tryTake(keyOf(selectors))) return;
    this.#metrics.counter('workload_api.rate_limit_exceeded', { method });
    throw GrpcError.of(Code.UNAVAILABLE, `rate limit exceeded for ${method}`);
  }
}

/** Of a fixed length, however many selectors there are. */
function keyOf(selectors: readonly Selector[]): string {
  return createHash('sha256')
    .update(JSON.stringify(selectorKeys(selectors)))
    .digest('base64');
}
