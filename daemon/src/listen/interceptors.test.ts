import * as grpc from '@grpc/grpc-js';
import { type CallContext, Code, GrpcError, type Middleware, type MiddlewareCall } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.ts';
import { createLogger } from '../logger.ts';
import { type CallOutcome, limitRate, logCalls, observeCalls, requireHeader } from './interceptors.ts';
import { RateLimiter } from './rate-limit.ts';

function callWith(metadata = new grpc.Metadata()): MiddlewareCall {
  const ctx: CallContext = {
    method: '/SpiffeWorkloadAPI/FetchJWTSVID',
    signal: new AbortController().signal,
    peerKey: 'k',
    metadata,
    deadline: undefined,
    sendMetadata: () => {},
  };
  return { ctx, service: SpiffeWorkloadAPI, method: SpiffeWorkloadAPI.method.fetchJWTSVID, request: {} };
}

function ticking(): Clock {
  let time = 0;
  return { now: () => 0, monotonic: () => (time += 2), sleep: async () => {} };
}

async function run(middleware: Middleware, call: MiddlewareCall, handler: () => Promise<void>): Promise<unknown> {
  return middleware(call, handler).catch((error: unknown) => error);
}

describe('observeCalls', () => {
  it.each([
    ['OK', async () => {}, Code.OK],
    ['a GrpcError', async () => Promise.reject(GrpcError.of(Code.NOT_FOUND, 'x')), Code.NOT_FOUND],
    ['another error', async () => Promise.reject(new TypeError('x')), Code.INTERNAL],
  ])('reports %s once, with duration and names, and lets the error pass', async (_name, handler, code) => {
    const outcomes: CallOutcome[] = [];
    const error = await run(
      observeCalls(ticking(), (outcome) => outcomes.push(outcome)),
      callWith(),
      handler,
    );
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toMatchObject({ code, seconds: 2, service: 'SpiffeWorkloadAPI', method: 'FetchJWTSVID' });
    expect(error !== undefined).toBe(code !== Code.OK);
  });
});

describe('logCalls', () => {
  it.each([
    [Code.PERMISSION_DENIED, 'level=info', 'status=PermissionDenied'],
    [Code.INTERNAL, 'level=error', 'status=Internal'],
    [Code.CANCELLED, 'level=debug', 'status=Canceled'],
  ])('writes one line for code %i', async (code, level, status) => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'debug', write: (line) => lines.push(line) });
    const log = logCalls(logger, ticking(), () => ({ caller_pid: 7 }));
    await run(log, callWith(), async () => Promise.reject(GrpcError.of(code, 'why')));
    expect(lines).toHaveLength(1);
    for (const part of [level, status, 'caller_pid=7', 'method=FetchJWTSVID']) expect(lines[0]).toContain(part);
  });
});

describe('requireHeader', () => {
  const guard = requireHeader('workload.spiffe.io', 'true', 'security header missing from request');
  const verdict = async (...values: string[]): Promise<unknown> => {
    const metadata = new grpc.Metadata();
    for (const value of values) metadata.add('workload.spiffe.io', value);
    let ran = false;
    const error = await run(guard, callWith(metadata), async () => {
      ran = true;
    });
    return ran ? 'ran' : (error as GrpcError).code;
  };

  it('lets only the one exact value pass, before the handler runs', async () => {
    expect(await verdict('true')).toBe('ran');
    for (const values of [[], ['True'], [''], ['true, true'], ['true', 'true'], ['true', 'false'], ['1']]) {
      expect(await verdict(...values)).toBe(Code.INVALID_ARGUMENT);
    }
  });
});

describe('limitRate', () => {
  it('takes what the cost function says and nothing when it says nothing', async () => {
    const limiter = new RateLimiter({ rate: 1, clock: ticking() });
    const cost = { key: 'a', tokens: 2 };
    expect(
      await run(
        limitRate(limiter, () => cost),
        callWith(),
        async () => {},
      ),
    ).toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
    });
    expect(
      await run(
        limitRate(limiter, () => undefined),
        callWith(),
        async () => {},
      ),
    ).toBeUndefined();
    expect(limiter.keys).toBe(0);
  });
});
