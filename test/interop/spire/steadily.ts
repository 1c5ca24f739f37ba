import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentUnit } from './agent-unit.ts';
import { fetchX509 } from './checks.ts';
import { handshake } from './handshake.ts';

/** Does something while two workloads meet again and again; one failed handshake is a failure of the whole. */
export async function steadily(
  agent: AgentUnit,
  [one, other]: readonly [string, string],
  action: () => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  let met = 0;
  const meeting = (async () => {
    while (!over.signal.aborted || met < 3) {
      const [a, b] = [await fetchX509(agent, one), await fetchX509(agent, other)];
      await handshake({ ...a, bundles: a.context.bundles }, { ...b, bundles: b.context.bundles });
      met += 1;
      await sleep(200);
    }
  })();
  // Unheard until the action is over, unless it comes first.
  const failure = meeting.then(() => new Promise<never>(() => undefined));
  try {
    await Promise.race([action(), failure]);
  } finally {
    over.abort();
  }
  await meeting;
}
