// A workload that asks again and again for its X509-SVIDs: `fetch-load.ts <socket> <seconds> <lanes> <file>`. Each lane is a
// connection of its own. Writes how many answers came, and how long they took, in seconds.
import { writeFileSync } from 'node:fs';
import { WorkloadApiClient } from '../../../client/src/index.ts';
import { percentile } from '../figures.ts';

const [socket = '', seconds = '', lanes = '', file = ''] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1000;
const took: number[] = [];
let failure = '';

const lane = async (): Promise<void> => {
  const client = new WorkloadApiClient({ address: `unix://${socket}` });
  while (performance.now() < end) {
    const start = performance.now();
    try {
      await client.fetchX509Context({ timeout: 10 });
      took.push((performance.now() - start) / 1000);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      break;
    }
  }
  await client.close();
};
await Promise.all(Array.from({ length: Number(lanes) }, lane));
const [p50, p99] = [percentile(took, 0.5), percentile(took, 0.99)];
writeFileSync(file, JSON.stringify({ calls: took.length, p50, p99, failure }));
