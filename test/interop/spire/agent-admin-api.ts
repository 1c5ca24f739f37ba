// What an agent serves on its admin socket.
import { credentials } from '@grpc/grpc-js';
import { debugV1, delegatedidentityV1, loggerV1 } from '@steeple/proto/agent-api';
import { createClient, type ServiceClient } from '@steeple/proto/grpc';

export interface AgentAdminApi {
  readonly debug: ServiceClient<typeof debugV1.Debug>;
  readonly delegated: ServiceClient<typeof delegatedidentityV1.DelegatedIdentity>;
  readonly logger: ServiceClient<typeof loggerV1.Logger>;
  close(): void;
}

export function agentAdminApi(socket: string): AgentAdminApi {
  const settings = {
    address: `unix:${socket}`,
    credentials: credentials.createInsecure(),
    options: { 'grpc.use_local_subchannel_pool': 1 },
  };
  const debug = createClient(debugV1.Debug, settings);
  const delegated = createClient(delegatedidentityV1.DelegatedIdentity, settings);
  const logger = createClient(loggerV1.Logger, settings);
  const close = (): void => [debug, delegated, logger].forEach((client) => client.close());
  return { debug, delegated, logger, close };
}
