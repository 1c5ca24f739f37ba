// Run in a cluster's network: attests one process with the k8s attestor alone, and says what came of it in a line of JSON,
// after the line `asking` when it begins.
// Its argument is JSON too: `{ "config": {…}, "pid": 1 }`.
import { createLogger, systemClock } from '@steeple/daemon';
import { checkValue } from '@steeple/daemon/config';
import { processCredentials } from '@steeple/daemon/listen';
import { loadPlugin } from '@steeple/plugins/catalog';
import { TrustDomain } from '@steeple/spiffe';

const { config, pid } = JSON.parse(process.argv[2] ?? '') as { readonly config: unknown; readonly pid: number };

async function answer(): Promise<object> {
  const plugin = await loadPlugin('workload-attestor', 'k8s');
  const host = { clock: systemClock, logger: createLogger(), trustDomain: TrustDomain.parse('domain.test') };
  const attestor = await plugin.create(checkValue(plugin.schema, config), host);
  const peer = processCredentials(pid);
  console.log('asking');
  const selectors = await attestor.attest(peer, AbortSignal.timeout(30_000));
  return { selectors: selectors.map(({ value }) => value) };
}

const start = performance.now();
const outcome = await answer().catch(({ message, code }: Error & { code?: string }) => ({ error: message, code }));
console.log(JSON.stringify({ ...outcome, seconds: (performance.now() - start) / 1000 }));
