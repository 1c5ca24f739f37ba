// A server and an agent of one maker, for what is measured from a workload's side.

import { credentials } from '@grpc/grpc-js';
import { type CallOptions, createClient } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import type { AgentUnit } from '../interop/spire/agent-unit.ts';
import type { Maker } from '../interop/spire/maker.ts';
import type { ServerUnit } from '../interop/spire/server-unit.ts';
import type { Site } from '../interop/spire/site.ts';
import { residentMiB } from './figures.ts';

export interface Pair {
  readonly server: ServerUnit;
  readonly agent: AgentUnit;
}

/** Both programs with the settings they come with; only the log is quiet. */
export async function pairOf(site: Site, maker: Maker): Promise<Pair> {
  const settings = { log_level: 'WARN' };
  const server = await site.server(maker, { settings });
  const agent = await site.agent(maker, server, { settings: { ...settings, experimental: {} } });
  return { server, agent };
}

export const pidOf = ({ process: { child } }: ServerUnit | AgentUnit): number => {
  if (child.pid === undefined) throw new Error('a program has gone');
  return child.pid;
};

export const memoryOf = (unit: ServerUnit | AgentUnit): number => residentMiB(pidOf(unit));

/** This process as the workload. */
export const SELECTOR = `unix:uid:${process.getuid?.() ?? 0}`;

/** The Workload API over a connection of its own, as another process would have. */
export function workloadApi({ agent }: Pair) {
  const client = createClient(SpiffeWorkloadAPI, {
    address: `unix:${agent.socket}`,
    credentials: credentials.createInsecure(),
    options: { 'grpc.use_local_subchannel_pool': 1 },
  });
  return {
    x509: (options: CallOptions = {}) =>
      client.fetchX509SVID({}, { ...options, metadata: { 'workload.spiffe.io': 'true' } }),
    close: () => client.close(),
  };
}
