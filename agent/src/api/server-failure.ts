import { Code, GrpcError } from '@steeple/proto/grpc';
import { noIdentity } from '../app/no-identity.ts';

/** Statuses of the server that mean the same to a workload. */
const PASSED_ON: ReadonlySet<number> = new Set([Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED, Code.CANCELLED]);

/** What a workload is told when the server could not be asked, or refused. Its own words stay in our log. */
export function serverFailure(error: unknown): GrpcError {
  if (error instanceof GrpcError) {
    if (error.code === Code.NOT_FOUND) return noIdentity(); // deleted a moment ago
    if (PASSED_ON.has(error.code)) return error;
  }
  return new GrpcError(Code.UNAVAILABLE, 'the server could not issue it at the moment', { cause: error });
}
