import type { Clock, Logger } from '@steeple/daemon';
import { Code, GrpcError, type Middleware, statusName } from '@steeple/proto/grpc';
import { faultsOf } from '../api/batch.ts';

/**
 * One line per call at debug level, and the cause of every Internal answer at error level. Requests and answers are
 * never logged: they hold tokens and keys.
 */
export const callLog =
  (logger: Logger, clock: Clock): Middleware =>
  async ({ ctx }, next) => {
    const started = clock.monotonic();
    let code: number = Code.OK;
    try {
      await next();
    } catch (error) {
      code = error instanceof GrpcError ? error.code : Code.INTERNAL;
      if (code === Code.INTERNAL) logger.error('Call failed', { method: ctx.method, error: causeOf(error) });
      throw error;
    } finally {
      for (const error of faultsOf(ctx)) logger.error('Item of a call failed', { method: ctx.method, error });
      const elapsed = Math.round((clock.monotonic() - started) * 1e6) / 1e3;
      logger.debug('Call', { method: ctx.method, status: statusName(code), elapsed_ms: elapsed });
    }
  };

const causeOf = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined ? error.cause : error;
