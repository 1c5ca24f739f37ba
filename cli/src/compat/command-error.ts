import { GrpcError, statusName } from '@steeple/proto/grpc';

/** A command that failed; its text is what the user is told. */
export class CommandError extends Error {}

/** An error as the Go programs write it. */
export function errorText(error: unknown): string {
  if (error instanceof GrpcError) return `rpc error: code = ${statusName(error.code)} desc = ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** Puts words before whatever `work` fails with. */
export async function explain<T>(prefix: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new CommandError(`${prefix}: ${errorText(error)}`, { cause: error });
  }
}

/** As `explain`, for work that is done at once. */
export function explainNow<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new CommandError(`${prefix}: ${errorText(error)}`, { cause: error });
  }
}
