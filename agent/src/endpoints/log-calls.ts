import type { Clock, Logger } from '@steeple/daemon';
import { observeCalls } from '@steeple/daemon/listen';
import { type CallContext, Code, GrpcError, type Middleware, statusName } from '@steeple/proto/grpc';

/** One line per call: debug when it went well or the caller left, error when it is our fault, else info. */
export function logCalls(
  logger: Logger,
  clock: Clock,
  describe: (ctx: CallContext) => Record<string, unknown>,
): Middleware {
  return observeCalls(clock, ({ ctx, code, seconds, error, service, method }) => {
    const fields = { service, method, status: statusName(code), duration: seconds, ...describe(ctx) };
    const reason = error instanceof GrpcError ? error.message : undefined;
    if (code === Code.OK || code === Code.CANCELLED) logger.debug('Call finished', fields);
    else if (code === Code.INTERNAL || code === Code.UNKNOWN) logger.error('Call failed', { ...fields, reason });
    else logger.info('Call failed', { ...fields, reason });
  });
}
