// Reading a list to its end, page by page.

import type { ServiceClient } from '@steeple/proto/grpc';
import { agentV1, entryV1, type types } from '@steeple/proto/server-api';

const pageSize = 500;

export async function allEntries(client: ServiceClient<typeof entryV1.Entry>, filter: object): Promise<types.Entry[]> {
  const entries: types.Entry[] = [];
  for (let pageToken = ''; ; ) {
    const page = await client.listEntries({ filter, pageSize, pageToken });
    entries.push(...page.entries);
    pageToken = page.nextPageToken;
    if (pageToken === '') return entries;
  }
}

export async function allAgents(client: ServiceClient<typeof agentV1.Agent>, filter: object): Promise<types.Agent[]> {
  const agents: types.Agent[] = [];
  for (let pageToken = ''; ; ) {
    const page = await client.listAgents({ filter, pageSize, pageToken });
    agents.push(...page.agents);
    pageToken = page.nextPageToken;
    if (pageToken === '') return agents;
  }
}
