import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { RetryInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { findDetail, GrpcError, packDetail, type StatusDetail } from './status.ts';

/** Seconds; a server cannot silence its clients for longer. */
const LONGEST = 300;

/** An error detail that asks the caller to come again after these seconds, and not before (google.rpc.RetryInfo). */
export function retryInfo(seconds: number): StatusDetail {
  return packDetail(RetryInfoSchema, { retryDelay: durationFromMs(Math.round(seconds * 1000)) });
}

/** Seconds to wait after this failure: the caller's own, or more if the server asked for more. */
export function heedRetryInfo(error: unknown, seconds: number): number {
  const delay = error instanceof GrpcError ? findDetail(error, RetryInfoSchema)?.retryDelay : undefined;
  const asked = delay === undefined ? 0 : Number(delay.seconds) + delay.nanos / 1e9;
  return Number.isFinite(asked) ? Math.max(seconds, Math.min(asked, LONGEST)) : seconds;
}
