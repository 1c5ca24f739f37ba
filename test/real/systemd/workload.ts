// A workload that asks again and again who it is, and writes each answer as a line: `workload.ts <socket> <file>`.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkloadApiClient } from '../../../client/src/index.ts';

const [socket = '', file = ''] = process.argv.slice(2);
const client = new WorkloadApiClient({ address: `unix://${socket}` });
for (;;) {
  const answer = await client.fetchX509Context({ timeout: 8 }).then(
    ({ svids }) => svids.map(({ id }) => id.path).join(' '),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  appendFileSync(file, `${process.pid} ${answer}\n`);
  await sleep(250);
}
