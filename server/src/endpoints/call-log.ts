import type { Clock, Logger } from '@steeple/daemon';
import { Code, GrpcError, type Middleware, statusName } from '@steeple/proto/grpc';
import { faultsOf } from '../api/batch.ts';

/** Ends that are nobody's mistake; a stream ends with Unavailable when the server drains. */
const ORDINARY: ReadonlySet<number> = new Set([Code.OK, Code.CANCELLED, Code.UNAVAILABLE]);

/**
 * One line per call, at debug level if it went well, and the cause of every Internal answer at error level. Requests and answers are
 * never logged: they hold tokens and keys.
 */
export const callLog =
  (logger: Logger, clock: Clock): Middleware =>
  async ({ ctx }, next) => {
    const started = clock.monotonic();
    let code: number = Code.OK;
    let reason: string | undefined;
    try {
      await next();
    } catch (error) {
      code = error instanceof GrpcError ? error.code : Code.INTERNAL;
      reason = error instanceof GrpcError ? error.message : undefined;
      if (code === Code.INTERNAL) logger.error('Call failed', { method: ctx.method, error: causeOf(error) });
      throw error;
    } finally {
      for (const error of faultsOf(ctx)) logger.error('Item of a call failed', { method: ctx.method, error });
      const elapsed = Math.round((clock.monotonic() - started) * 1e6) / 1e3;
      const fields = { method: ctx.method, status: statusName(code), elapsed_ms: elapsed };
      if (ORDINARY.has(code)) logger.debug('Call', fields);
      else logger.info('Call refused', { ...fields, reason });
    }
  };

const causeOf = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined ? error.cause : error;
