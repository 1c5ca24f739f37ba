import { Code, GrpcError, type Middleware } from '@steeple/proto/grpc';
import { type CallMeter, countCall } from './measure-call.ts';
import { rpcKey } from './rpc-key.ts';

/** Middleware that counts every call by service, method and status, refused ones too: put it outermost. */
export const measureCalls = ({ metrics, clock }: CallMeter): Middleware => {
  const keys = new Map<string, string>();
  const keyOf = (method: string): string => {
    let key = keys.get(method);
    if (key === undefined) keys.set(method, (key = rpcKey(method)));
    return key;
  };
  return async ({ ctx }, next) => {
    const started = clock.monotonic();
    const count = (code: number): void => countCall(metrics, keyOf(ctx.method), clock.monotonic() - started, code);
    try {
      await next();
    } catch (error) {
      count(error instanceof GrpcError ? error.code : Code.INTERNAL);
      throw error;
    }
    count(Code.OK);
  };
};
