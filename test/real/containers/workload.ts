// A workload in a container that asks who it is, and says so in a line: `workload.ts <socket> once|again`.
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkloadApiClient } from '../../../client/src/index.ts';

const [socket = '', how = ''] = process.argv.slice(2);
const client = new WorkloadApiClient({ address: `unix://${socket}` });
for (;;) {
  const answer = await client.fetchX509Context({ timeout: 10 }).then(
    ({ svids }) => svids.map(({ id }) => id.path).sort(),
    (error: unknown) => `refused: ${error instanceof Error ? error.message : String(error)}`,
  );
  console.log(`answer ${JSON.stringify(answer)}`);
  if (how === 'once') break;
  await sleep(200);
}
await client.close();
