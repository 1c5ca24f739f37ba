import { type CallContext, Code, GrpcError, hasExactly, type Middleware, statusName } from '@steeple/proto/grpc';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { RateLimiter } from './rate-limit.ts';

/** A finished call, for a log or a metric. */
export interface CallOutcome {
  readonly ctx: CallContext;
  readonly service: string;
  readonly method: string;
  /** 0 is OK. */
  readonly code: number;
  readonly seconds: number;
  readonly error: GrpcError | undefined;
}

/** Reports each call when it is over, whatever its end. */
export function observeCalls(clock: Clock, report: (outcome: CallOutcome) => void): Middleware {
  return async ({ ctx, service, method }, next) => {
    const start = clock.monotonic();
    const finish = (error?: unknown): void => {
      const failed = error instanceof GrpcError ? error : undefined;
      const code = failed?.code ?? (error === undefined ? Code.OK : Code.INTERNAL);
      const seconds = clock.monotonic() - start;
      report({ ctx, service: service.typeName, method: method.name, code, seconds, error: failed });
    };
    try {
      await next();
    } catch (error) {
      finish(error);
      throw error;
    }
    finish();
  };
}

/** One line per call: debug when it went well or the caller left, else the level the host chooses for the code. */
export function logCalls(
  logger: Logger,
  clock: Clock,
  describe: (ctx: CallContext) => Record<string, unknown>,
): Middleware {
  return observeCalls(clock, ({ ctx, code, seconds, error, service, method }) => {
    const fields = { service, method, status: statusName(code), duration: seconds, ...describe(ctx) };
    if (code === Code.OK || code === Code.CANCELLED) logger.debug('Call finished', fields);
    else if (code === Code.INTERNAL || code === Code.UNKNOWN)
      logger.error('Call failed', { ...fields, reason: error?.message });
    else logger.info('Call failed', { ...fields, reason: error?.message });
  });
}

/** Refuses with INVALID_ARGUMENT a call that does not carry this header once with exactly this value. */
export function requireHeader(key: string, value: string, message: string): Middleware {
  return async ({ ctx }, next) => {
    if (!hasExactly(ctx.metadata, key, value)) throw GrpcError.of(Code.INVALID_ARGUMENT, message);
    await next();
  };
}

/** Lets a call wait for its tokens. `cost` names the bucket and the tokens; undefined is free. */
export function limitRate(
  limiter: RateLimiter,
  cost: (ctx: CallContext, request: unknown) => { readonly key: string; readonly tokens: number } | undefined,
): Middleware {
  return async ({ ctx, request }, next) => {
    const due = cost(ctx, request);
    if (due !== undefined) await limiter.take(due.key, due.tokens, ctx.signal);
    await next();
  };
}
