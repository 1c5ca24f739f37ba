import { GrpcError } from '@steeple/proto/grpc';

/** The error a call ends with. */
export const failure = async (work: Promise<unknown>): Promise<GrpcError> => {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof GrpcError)) throw new Error(`expected a failed call, got ${String(error)}`);
  return error;
};
