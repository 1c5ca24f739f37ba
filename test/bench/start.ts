// `steeple dev`: from the command to an SVID in the caller's hand.
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { createClient } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { Process, run } from '../stack/process.ts';
import { type Figure, milliseconds, percentile } from './figures.ts';

const steeple = join(import.meta.dirname, '../../cli/src/bin/steeple.ts');

async function once(): Promise<number> {
  const start = performance.now();
  const dev = new Process('steeple dev', process.execPath, ['--disable-warning=ExperimentalWarning', steeple, 'dev']);
  const [, socket = ''] = await dev.line(/SPIFFE_ENDPOINT_SOCKET=unix:\/\/(\S+)/);
  const client = createClient(SpiffeWorkloadAPI, {
    address: `unix:${socket}`,
    credentials: credentials.createInsecure(),
  });
  const metadata = { 'workload.spiffe.io': 'true' };
  for await (const _ of client.fetchX509SVID({}, { metadata })) break;
  const took = (performance.now() - start) / 1000;
  client.close();
  await dev.stop();
  return took;
}

export async function devStart(rounds: number): Promise<Figure> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) took.push(await once());
  const bare: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await run(process.execPath, ['-e', '0']);
    bare.push((performance.now() - start) / 1000);
  }
  return {
    what: `\`steeple dev\` from the command to the first SVID, ${rounds} rounds`,
    value: `p50 ${milliseconds(percentile(took, 0.5))}`,
    against: `aim 1 s; starting node alone ${milliseconds(percentile(bare, 0.5))}`,
  };
}
