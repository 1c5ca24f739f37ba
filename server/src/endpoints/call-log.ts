import type { Clock, Logger } from '@steeple/daemon';
import { observeCalls } from '@steeple/daemon/listen';
import { Code, GrpcError, type Middleware, statusName } from '@steeple/proto/grpc';
import { faultsOf } from '../api/batch.ts';

/** Ends that are nobody's mistake; a stream ends with Unavailable when the server drains. */
const ORDINARY: ReadonlySet<number> = new Set([Code.OK, Code.CANCELLED, Code.UNAVAILABLE]);

/**
 * One line per call, at debug level if it went well, and the cause of every Internal answer at error level. Requests and answers are
 * never logged: they hold tokens and keys.
 */
export const callLog = (logger: Logger, clock: Clock): Middleware =>
  observeCalls(clock, ({ ctx, code, seconds, error }) => {
    const { method } = ctx;
    if (code === Code.INTERNAL) logger.error('Call failed', { method, error: causeOf(error) });
    for (const fault of faultsOf(ctx)) logger.error('Item of a call failed', { method, error: fault });
    const fields = { method, status: statusName(code), elapsed_ms: Math.round(seconds * 1e6) / 1e3 };
    if (ORDINARY.has(code)) logger.debug('Call', fields);
    else logger.info('Call refused', { ...fields, reason: error instanceof GrpcError ? error.message : undefined });
  });

const causeOf = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined ? error.cause : error;
