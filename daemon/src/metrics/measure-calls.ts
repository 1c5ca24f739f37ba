import type { Middleware } from '@steeple/proto/grpc';
import { observeCalls } from '../listen/observe-calls.ts';
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
  return observeCalls(clock, ({ ctx, seconds, code }) => countCall(metrics, keyOf(ctx.method), seconds, code));
};
