import * as grpc from '@grpc/grpc-js';
import { createLogger } from '@steeple/daemon';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { FakeClock } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { logCalls } from './log-calls.ts';

const method = SpiffeWorkloadAPI.method.fetchJWTSVID;
const ctx = {
  method: '/SpiffeWorkloadAPI/FetchJWTSVID',
  signal: new AbortController().signal,
  peerKey: 'k',
  metadata: new grpc.Metadata(),
  deadline: undefined,
  sendMetadata: () => {},
};

it.each([
  [Code.PERMISSION_DENIED, 'level=info', 'status=PermissionDenied'],
  [Code.INTERNAL, 'level=error', 'status=Internal'],
  [Code.CANCELLED, 'level=debug', 'status=Canceled'],
])('writes one line for code %i', async (code, level, status) => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', write: (line) => lines.push(line) });
  const log = logCalls(logger, new FakeClock(), () => ({ caller_pid: 7 }));
  const call = log({ ctx, service: SpiffeWorkloadAPI, method, request: {} }, () =>
    Promise.reject(GrpcError.of(code, 'why')),
  );
  await expect(call).rejects.toMatchObject({ code });
  expect(lines).toHaveLength(1);
  for (const part of [level, status, 'caller_pid=7', 'method=FetchJWTSVID']) expect(lines[0]).toContain(part);
});
