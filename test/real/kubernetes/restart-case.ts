import { type Case, ensure } from '../../interop/case.ts';
import type { Cluster } from './cluster.ts';
import { AGENT_FOLDER, AGENT_SOCKET, type Deployed } from './deployed.ts';
import { CHECKOUT, createPod, nodeMounts, podOf } from './pods.ts';

/**
 * Seconds: the SVIDs are renewed by what was restarted, and what is left of them at the latest moment of that, half, is more
 * than a restart takes on a busy machine.
 */
const TTL = 90;

/** Rolling restart of agent and server while one pod calls another over mTLS. */
export function restartCase(cluster: Cluster, deployed: () => Promise<Deployed>): Case {
  return {
    name: 'a rolling restart of agent and server fails no mTLS call between two pods, whose SVIDs are renewed meanwhile',
    run: async () => callsGoOn(cluster, await deployed()),
  };
}

async function callsGoOn(cluster: Cluster, deployed: Deployed): Promise<void> {
  for (const name of ['called', 'caller']) {
    await deployed.createEntry(`spiffe://example.org/${name}`, ['k8s:ns:default', `k8s:pod-label:app:${name}`], TTL);
  }
  const called = await createPod(cluster.api, podRunning('called'));
  const caller = podRunning('caller', called.status.podIP);
  try {
    await createPod(cluster.api, caller);
    await until(cluster, 'caller', ({ answers }) => answers > 0);
    await deployed.restart('daemonset/steeple-agent');
    await until(cluster, 'caller', renewedSince(await told(cluster, 'caller')));
    await deployed.restart('statefulset/steeple-server');
    const before = await Promise.all([told(cluster, 'caller'), told(cluster, 'called')]);
    await until(cluster, 'caller', renewedSince(before[0]));
    await until(cluster, 'called', renewedSince(before[1]));
    const { answers, failures } = await told(cluster, 'caller');
    ensure(
      failures.length === 0,
      `no failed call beside ${answers} others, not ${failures.length}:\n${failures.slice(0, 5).join('\n')}`,
    );
    ensure(answers > 100, `many calls, not ${answers}`);
  } finally {
    for (const pod of [called, caller]) await cluster.api.delete(pod);
  }
}

function podRunning(name: string, ...args: readonly (string | undefined)[]) {
  return podOf(name, {
    labels: { app: name },
    mounts: [...nodeMounts(), AGENT_FOLDER],
    env: { SPIFFE_ENDPOINT_SOCKET: AGENT_SOCKET },
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      `${CHECKOUT}/test/real/kubernetes/mtls/${name}.ts`,
      ...args.filter((each) => each !== undefined),
    ],
  });
}

interface Told {
  readonly answers: number;
  readonly failures: readonly string[];
  readonly svids: number;
}

async function told(cluster: Cluster, pod: string): Promise<Told> {
  const lines = (await cluster.kubectl(['logs', pod])).split('\n');
  return {
    answers: lines.filter((line) => line === 'call hello spiffe://example.org/caller').length,
    failures: lines.filter((line) => line.startsWith('failed') || (line.startsWith('call') && !line.includes('hello'))),
    svids: new Set(lines.filter((line) => line.startsWith('svid'))).size,
  };
}

const renewedSince =
  (before: Told) =>
  ({ svids, answers }: Told): boolean =>
    svids > before.svids && answers >= before.answers;

async function until(cluster: Cluster, pod: string, wanted: (told: Told) => boolean): Promise<void> {
  const end = Date.now() + 90_000;
  while (!wanted(await told(cluster, pod))) {
    if (Date.now() > end)
      throw new Error(`pod ${pod} did not get there:\n${(await cluster.kubectl(['logs', pod])).slice(-2000)}`);
    await new Promise((done) => setTimeout(done, 500));
  }
}
