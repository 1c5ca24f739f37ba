// SPIRE's Server API, every service of it, on one address.
import { type ClientSettings, createClient, type ServiceClient } from '@steeple/proto/grpc';
import {
  agentV1,
  bundleV1,
  debugV1,
  entryV1,
  localauthorityV1,
  loggerV1,
  svidV1,
  trustdomainV1,
} from '@steeple/proto/server-api';

export const services = {
  agent: agentV1.Agent,
  bundle: bundleV1.Bundle,
  debug: debugV1.Debug,
  entry: entryV1.Entry,
  authority: localauthorityV1.LocalAuthority,
  logger: loggerV1.Logger,
  svid: svidV1.SVID,
  trustDomain: trustdomainV1.TrustDomain,
} as const;
type Clients = { readonly [K in keyof typeof services]: ServiceClient<(typeof services)[K]> };

export type ServerApi = Clients & { close(): void };

export function serverApi(settings: ClientSettings): ServerApi {
  const clients = Object.entries(services).map(([name, service]) => [name, createClient(service, settings)] as const);
  const close = (): void => clients.forEach(([, client]) => client.close());
  return { ...(Object.fromEntries(clients) as unknown as Clients), close };
}
