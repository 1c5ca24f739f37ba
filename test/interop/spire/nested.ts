// Servers one below the other: each lower one gets its CA through the Workload API of an agent of the one above it.
import type { AgentUnit } from './agent-unit.ts';
import { eventually } from './checks.ts';
import type { Maker } from './maker.ts';
import type { ServerUnit } from './server-unit.ts';
import type { Site } from './site.ts';
import type { Block } from './write-hcl.ts';

export interface Level {
  readonly server: ServerUnit;
  readonly agent: AgentUnit;
}

const self = `unix:uid:${process.getuid?.()}`;

/** The top first. The agent on the host of a lower server is made by whoever made that server. */
export async function nest(
  site: Site,
  makers: readonly Maker[],
  settingsOf: (level: number) => Block,
): Promise<Level[]> {
  const levels: Level[] = [];
  for (const [index, maker] of makers.entries()) {
    const above = levels.at(-1);
    const settings = settingsOf(index);
    const server = await site.server(maker, above === undefined ? { settings } : { settings, ...below(above) });
    const agent = await site.agent(makers[index + 1] ?? maker, server);
    levels.push({ server, agent });
    if (index + 1 === makers.length) break;
    const id = server.id(`/below-${index}`);
    await server.createEntry(id, agent.id, [self], { downstream: true });
    await eventually(`${id} is at hand`, async () => {
      const { svids } = await agent.workload.fetchX509Context({ timeout: 10 });
      return svids.some((svid) => svid.id.toString() === id) ? true : undefined;
    });
  }
  return levels;
}

function below({ server, agent }: Level) {
  const spire = {
    server_address: '127.0.0.1',
    server_port: server.port,
    workload_api_socket: agent.socket,
  };
  return { plugins: { UpstreamAuthority: { spire } } };
}
