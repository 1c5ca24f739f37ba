import type { DescService } from '@bufbuild/protobuf';
import type { ServiceClient } from '@steeple/proto/grpc';
import { withClient } from './connect.ts';
import { UserError } from './exit.ts';
import { text } from './flags.ts';
import type { CliContext, Options } from './verb.ts';

/** Seconds that an agent may think about one call. */
const PATIENCE = 30;

/** Calls a service on an agent's administrative socket, which is served only where the configuration names it. */
export function onAgentAdmin<S extends DescService, T>(
  service: S,
  options: Options,
  context: CliContext,
  use: (client: ServiceClient<S>) => Promise<T>,
): Promise<T> {
  const socket = text(options, 'socket') ?? context.env['STEEPLE_AGENT_ADMIN_SOCKET'];
  if (socket === undefined) {
    throw new UserError(
      "the agent's administrative socket is not known",
      'name it with --socket or STEEPLE_AGENT_ADMIN_SOCKET; the agent serves it where admin_socket_path is set',
    );
  }
  return withClient(service, socket, use, { patience: PATIENCE, signal: context.signal });
}
