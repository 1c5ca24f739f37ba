import { type CallContext, Code, GrpcError, type Middleware } from '@steeple/proto/grpc';
import type { Clock } from '../clock.ts';

/** A finished call, for a log or a metric. */
export interface CallOutcome {
  readonly ctx: CallContext;
  readonly service: string;
  readonly method: string;
  /** 0 is OK. */
  readonly code: number;
  readonly seconds: number;
  /** What it failed with, if it did; anything but a GrpcError has the code INTERNAL. */
  readonly error: unknown;
}

/** Reports each call when it is over, whatever its end. */
export function observeCalls(clock: Pick<Clock, 'monotonic'>, report: (outcome: CallOutcome) => void): Middleware {
  return async ({ ctx, service, method }, next) => {
    const start = clock.monotonic();
    const finish = (code: number, error?: unknown): void => {
      const seconds = clock.monotonic() - start;
      report({ ctx, service: service.typeName, method: method.name, code, seconds, error });
    };
    try {
      await next();
    } catch (error) {
      finish(error instanceof GrpcError ? error.code : Code.INTERNAL, error);
      throw error;
    }
    finish(Code.OK);
  };
}
