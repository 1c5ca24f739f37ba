import type { DescService } from '@bufbuild/protobuf';
import type { ServiceClient } from '@steeple/proto/grpc';
import { serverSocket, withClient } from './connect.ts';
import { text } from './flags.ts';
import type { CliContext, Options } from './verb.ts';

/** Calls a service on the server's administrative socket. */
export function onServer<S extends DescService, T>(
  service: S,
  options: Options,
  context: CliContext,
  use: (client: ServiceClient<S>) => Promise<T>,
): Promise<T> {
  return withClient(service, serverSocket(text(options, 'socket'), context.env), use);
}
