import { Code, GrpcError } from '@steeple/proto/grpc';

/**
 * What every caller without identity is told, whatever the reason: nothing is to be learned from it about entries. The
 * attestors that failed are named, because they may be the reason; why they did stands in the agent's log.
 */
export function noIdentity(failed: readonly string[] = []): GrpcError {
  const why = failed.length === 0 ? '' : `; the process could not be examined by: ${failed.join(', ')}`;
  return GrpcError.of(Code.PERMISSION_DENIED, `no identity issued${why}`);
}

/** The error that a caller about whom something is unknown gets instead of the given one. */
export function explained(error: unknown, failed: readonly string[]): unknown {
  if (failed.length === 0 || !(error instanceof GrpcError)) return error;
  return error.code === Code.PERMISSION_DENIED && error.message === 'no identity issued' ? noIdentity(failed) : error;
}
