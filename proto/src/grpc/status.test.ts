import * as grpc from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { ErrorInfoSchema } from '../infra.ts';
import { Code } from './code.ts';
import { findDetail, fromServiceError, GrpcError, packDetail, readStatusDetails, statusObjectOf } from './status.ts';

it('carries details through metadata and back', () => {
  const sent = statusObjectOf(GrpcError.of(Code.NOT_FOUND, 'gone', packDetail(ErrorInfoSchema, { reason: 'R' })));
  const received = fromServiceError(Object.assign(new Error('5 NOT_FOUND: gone'), sent));
  expect([received.code, received.message]).toEqual([Code.NOT_FOUND, 'gone']);
  expect(findDetail(received, ErrorInfoSchema)?.reason).toBe('R');
});

it('adds no details header when there are none', () => {
  expect(statusObjectOf(GrpcError.of(Code.ABORTED, 'x')).metadata.getMap()).toEqual({});
});

it('ignores details that are not a status', () => {
  const metadata = new grpc.Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from([0xff, 0xff, 0xff]));
  expect(readStatusDetails({ metadata })).toEqual([]);
  expect(findDetail(GrpcError.of(Code.ABORTED, '', detail(0xff)), ErrorInfoSchema)).toBeUndefined();
});

it('makes an unknown failure INTERNAL without its text', () => {
  const error = fromServiceError(new Error('secret'));
  expect([error.code, error.message]).toEqual([Code.INTERNAL, 'the call failed']);
});

function detail(...bytes: number[]) {
  return { typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Uint8Array.from(bytes) };
}
