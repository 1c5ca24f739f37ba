import { methodRule, type RateClass } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import { RateLimiter } from '@steeple/daemon/listen';
import { Code, GrpcError, type Middleware } from '@steeple/proto/grpc';
import { callerOf } from '../api/caller.ts';

/** Tokens per second and source address; callers wait for them. */
const RATES: Readonly<Record<RateClass, number>> = {
  attest: 1,
  'sign-x509': 500,
  'sign-jwt': 500,
  'sign-wit': 500,
  publish: 500,
  'post-status': 10,
};

/** Seconds; who would wait longer is told when to come again, so that no more than a minute's callers are waiting. */
const MAX_WAIT = 60;

export interface RateSwitches {
  readonly attestation: boolean;
  readonly signing: boolean;
}

/**
 * Lets remote callers wait their turn, per class of method and source address. Callers of the admin socket are exempt.
 * Sits inside the guard.
 */
export const rateLimits = (switches: RateSwitches, clock: Clock): Middleware => {
  const limiters = new Map(
    Object.entries(RATES)
      .filter(([kind]) => isOn(kind as RateClass, switches))
      .map(([kind, rate]) => [kind, new RateLimiter({ rate, clock, maxWait: MAX_WAIT })]),
  );
  return async ({ ctx, request }, next) => {
    const { address } = callerOf(ctx);
    const kind = methodRule(ctx.method)?.rate;
    const limiter = kind && limiters.get(kind);
    if (limiter && address !== undefined) await take(limiter, address, itemsOf(request), ctx.signal);
    return next();
  };
};

const isOn = (kind: RateClass, { attestation, signing }: RateSwitches): boolean =>
  kind === 'attest' ? attestation : !kind.startsWith('sign-') || signing;

const take = async (limiter: RateLimiter, address: string, items: number, signal: AbortSignal): Promise<void> => {
  try {
    await limiter.take(address, items, signal);
  } catch (cause) {
    if (!(cause instanceof GrpcError) || cause.code !== Code.RESOURCE_EXHAUSTED) throw cause;
    throw new GrpcError(
      Code.RESOURCE_EXHAUSTED,
      `rejecting request due to certificate signing rate limiting: ${cause.message}`,
      { cause, details: cause.details },
    );
  }
};

/** A batch costs as much as its items. */
const itemsOf = (request: unknown): number => {
  const params = (request as { params?: unknown } | undefined)?.params;
  return Array.isArray(params) ? Math.max(1, params.length) : 1;
};
