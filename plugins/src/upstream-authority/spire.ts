import { resolve } from 'node:path';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { SpireAuthority } from './spire/spire-authority.ts';
import { UpstreamServer } from './spire/upstream-server.ts';

const unsupported = z
  .unknown()
  .refine((value) => value === undefined || value === false || value === '', 'is not supported; remove it')
  .optional();

const schema = z.strictObject({
  server_address: z.string().min(1, 'server_address is required'),
  /** SPIRE's files have it as text. */
  server_port: z.coerce.number().pipe(z.int().min(1).max(65535)),
  workload_api_socket: z.string().min(1, 'workload_api_socket is required'),
  experimental: z.strictObject({ workload_api_named_pipe_name: unsupported, require_pq_kem: unsupported }).optional(),
});

export const spireUpstream: PluginDefinition<'upstream-authority', z.infer<typeof schema>> = {
  kind: 'upstream-authority',
  name: 'spire',
  schema,
  create: async (config, { trustDomain, clock, logger }) => {
    const host = config.server_address.includes(':') ? `[${config.server_address}]` : config.server_address;
    const server = new UpstreamServer({
      address: `${host}:${config.server_port}`,
      workloadApiSocket: resolve(config.workload_api_socket.replace(/^unix:(\/\/(?=\/))?/, '')),
      trustDomain,
      now: () => clock.now(),
    });
    return new SpireAuthority({ server, trustDomain, clock, logger });
  },
};
