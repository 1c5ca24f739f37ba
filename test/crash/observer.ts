// A workload that never lets go: it holds a stream to the Workload API and looks at its SVID many times a second.
// `svid <serial> <notAfter> <now>` for each new one; `expired …` if it ever holds one past its end.
import { WorkloadApiClient } from '@steeple/client';

const client = new WorkloadApiClient();
let held: { serial: string; notAfter: number } | undefined;
setInterval(() => {
  const now = Date.now() / 1000;
  if (held !== undefined && held.notAfter < now) console.log(`expired ${held.serial} ${held.notAfter} ${now}`);
}, 50);

for await (const event of client.watchX509Context(new AbortController().signal)) {
  if (event.kind === 'update') {
    const [svid] = event.value.svids;
    if (svid === undefined) continue;
    // What was handed out must be good at the moment it arrives.
    if (svid.leaf.notAfter <= Date.now() / 1000) console.log(`expired ${svid.leaf.serialHex} on arrival`);
    held = { serial: svid.leaf.serialHex, notAfter: svid.leaf.notAfter };
    console.log(`svid ${held.serial} ${held.notAfter} ${Date.now() / 1000}`);
  } else {
    console.log(`${event.kind} ${Date.now() / 1000} ${event.error.message}`);
  }
}
