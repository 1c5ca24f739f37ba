import { credentials } from '@grpc/grpc-js';
import { createClient } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { expect, it } from 'vitest';
import { HEADER, Home, until } from './home.ts';

const STREAMS = 1000;
const CONNECTIONS = 50;

it('answers a thousand streams opened at once, and readers that never read do not hold up the others', async () => {
  await using home = await Home.open();
  await home.addEntry({ path: '/web' });
  await home.ready();
  const options = { 'grpc.use_local_subchannel_pool': 1 };
  const settings = { address: `unix:${home.socket}`, credentials: credentials.createInsecure(), options };
  const clients = Array.from({ length: CONNECTIONS }, () => createClient(SpiffeWorkloadAPI, settings));
  const abort = new AbortController();
  const call = { metadata: HEADER, signal: abort.signal };
  /** How many identities each stream has last been told of. */
  const told = Array.from({ length: STREAMS }, () => 0);
  const errors: unknown[] = [];
  const follow = async (index: number): Promise<void> => {
    try {
      const client = clients[index % CONNECTIONS];
      for await (const { svids } of client?.fetchX509SVID({}, call) ?? []) told[index] = svids.length;
    } catch (error) {
      if (!abort.signal.aborted) errors.push(error);
    }
  };
  try {
    const following = told.map((_, index) => follow(index));
    const stuck = clients.map((client) => client.fetchX509SVID({}, call)[Symbol.asyncIterator]().next());
    await Promise.all(stuck);
    await until(() => told.every((count) => count === 1));
    for (let entry = 0; entry < 20; entry++) await home.addEntry({ path: `/more/${entry}` });
    await until(() => told.every((count) => count === 21));
    const { svids } = await home.workload.fetchJWTSVID({ audience: ['a'] }, { metadata: HEADER, deadline: 20 });
    expect(svids).toHaveLength(21);
    expect(errors).toEqual([]);
    abort.abort();
    await Promise.all(following);
  } finally {
    abort.abort();
    for (const client of clients) client.close();
  }
});
