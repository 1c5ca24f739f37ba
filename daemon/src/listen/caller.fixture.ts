// A process of its own that calls over many connections; prints what it saw, then keeps streams open.
// Arguments: socket path, number of connections.
import * as grpc from '@grpc/grpc-js';
import { createClient } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';

const [, , path, count] = process.argv;
const settings = {
  address: `unix:${path}`,
  credentials: grpc.credentials.createInsecure(),
  options: { 'grpc.use_local_subchannel_pool': 1 },
};

async function oneConnection(): Promise<{ keys: string[]; pids: string[] }> {
  const client = createClient(entryV1.Entry, settings);
  const answers = await Promise.all(Array.from({ length: 5 }, () => client.getEntry({})));
  answers.push(await client.getEntry({}));
  return { keys: answers.map(({ id }) => id), pids: answers.map(({ revisionNumber }) => String(revisionNumber)) };
}

const seen = await Promise.all(Array.from({ length: Number(count) }, oneConnection));
const streams = Array.from({ length: 3 }, () =>
  createClient(SpiffeWorkloadAPI, settings).fetchX509Bundles({})[Symbol.asyncIterator](),
);
await Promise.all(streams.map((stream) => stream.next()));
process.stdout.write(`${JSON.stringify(seen)}\n`);
await Promise.all(streams.map((stream) => stream.next()));
