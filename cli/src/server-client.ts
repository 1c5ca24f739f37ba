import type { DescService } from '@bufbuild/protobuf';
import type { ServiceClient } from '@steeple/proto/grpc';
import { serverSocket, withClient } from './connect.ts';
import { text } from './flags.ts';
import type { CliContext, Options } from './verb.ts';

/** Seconds that a server may think about one call. */
const PATIENCE = 30;

/** Calls a service on the server's administrative socket. */
export function onServer<S extends DescService, T>(
  service: S,
  options: Options,
  context: CliContext,
  use: (client: ServiceClient<S>) => Promise<T>,
  { patience = PATIENCE }: { readonly patience?: number } = {},
): Promise<T> {
  const socket = serverSocket(text(options, 'socket'), context.env);
  return withClient(service, socket, use, { patience, signal: context.signal });
}
