import type { DescService } from '@bufbuild/protobuf';
import { Code, GrpcError, type ServiceClient } from '@steeple/proto/grpc';

/**
 * A client whose errors have the words of the Go programs, which scripts look for. `dialled` is how those programs
 * name the socket.
 */
export function withGoErrors<S extends DescService>(client: ServiceClient<S>, dialled: string): ServiceClient<S> {
  const rephrase = (error: unknown): never => {
    throw error instanceof GrpcError ? inGoWords(error, dialled) : error;
  };
  const methods = Object.entries(client).map(([name, method]) => [name, wrap(method as Method, rephrase)]);
  return Object.fromEntries(methods) as ServiceClient<S>;
}

type Method = (...args: unknown[]) => unknown;

const wrap =
  (method: Method, rephrase: (error: unknown) => never): Method =>
  (...args) => {
    const result = method(...args);
    if (result instanceof Promise) return result.catch(rephrase);
    return isStream(result) ? rephrased(result, rephrase) : result;
  };

const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

async function* rephrased(stream: AsyncIterable<unknown>, rephrase: (error: unknown) => never): AsyncIterable<unknown> {
  try {
    yield* stream;
  } catch (error) {
    rephrase(error);
  }
}

const inGoWords = (error: GrpcError, dialled: string): GrpcError => {
  const { code, message, details } = error;
  const again = (text: string): GrpcError => new GrpcError(code, text, { cause: error, details });
  if (code === Code.DEADLINE_EXCEEDED && message.startsWith('Deadline exceeded'))
    return again('context deadline exceeded');
  const failed = /^No connection established.*\bconnect (E[A-Z]+)/.exec(message);
  if (failed === null) return error;
  const reason = REASON[failed[1] ?? ''] ?? failed[1];
  return again(`connection error: desc = "transport: Error while dialing: dial unix ${dialled}: connect: ${reason}"`);
};

const REASON: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  ECONNREFUSED: 'connection refused',
  EACCES: 'permission denied',
};

/** Whether there was nobody to talk to. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof GrpcError && error.code === Code.UNAVAILABLE && error.message.startsWith('connection error:');
