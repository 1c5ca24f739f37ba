import { Code, GrpcError, statusName } from '@steeple/proto/grpc';
import { UserError } from './exit.ts';

/** What would help when the server does not know what it was asked about. */
export const FIND_ENTRY = 'there is no entry with this ID: `steeple entry list` shows them all';
export const FIND_AGENT = 'there is no agent with this SPIFFE ID: `steeple agent list` shows them all';

/** Adds to the server's "not found" what to do. */
export async function whenMissing<T>(advice: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof GrpcError) || error.code !== Code.NOT_FOUND) throw error;
    throw new UserError(`${error.message} (${statusName(error.code)})`, advice, { cause: error });
  }
}
