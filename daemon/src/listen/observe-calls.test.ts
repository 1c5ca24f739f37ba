import * as grpc from '@grpc/grpc-js';
import { type CallContext, Code, GrpcError, type Middleware, type MiddlewareCall } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.ts';
import { type CallOutcome, observeCalls } from './observe-calls.ts';

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
