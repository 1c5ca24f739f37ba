// `npm run bench -- --only pods`: what it costs to attest a workload on a node with 200 pods, for both makers' agents in one
// run. The kubelet is a stand-in with a list of real size; the workload is this process, in a control group that is called
// like a container of the first pod.
import { setTimeout as sleep } from 'node:timers/promises';
import { MAKERS, type Maker } from '../../interop/spire/maker.ts';
import { Site } from '../../interop/spire/site.ts';
import type { Block } from '../../interop/spire/write-hcl.ts';
import { CgroupRoot } from '../../real/kubernetes/cgroup-root.ts';
import { cpuSeconds, type Figure, milliseconds, percentile } from '../figures.ts';
import { type Pair, pidOf, SELECTOR, workloadApi } from '../sites.ts';
import { standInKubelet } from './stand-in-kubelet.ts';
import { standInPod } from './stand-in-pods.ts';

const PODS = 200;
const SECONDS = 60;

interface Spent {
  /** Of the agent's processor time, for each attestation. */
  readonly cpu: number;
  readonly p50: number;
}

export async function podAttestation(): Promise<Figure[]> {
  const site = await Site.open();
  const pods = Array.from({ length: PODS }, (_, index) => standInPod(index));
  using kubelet = await standInKubelet(
    site.dir,
    pods.map(({ json }) => json),
  );
  const [first = standInPod(0)] = pods;
  await using group = await CgroupRoot.create(`steeple-bench-${process.pid}`);
  try {
    const pairs: Pair[] = [];
    for (const maker of MAKERS) {
      pairs.push(await pairWith(site, maker, {}, [SELECTOR]));
      pairs.push(await pairWith(site, maker, { k8s: kubelet.settings }, [SELECTOR, 'k8s:ns:shop']));
    }
    await group.enter(process.pid, `kubepods/burstable/pod${first.uid}/${first.containerId}`);
    for (const pair of pairs) await warmUp(pair);
    const figures: Figure[] = [];
    for (const rate of [1, 10]) figures.push(...(await atRate(rate, pairs, kubelet.bytes)));
    return figures;
  } finally {
    await group.leave(process.pid);
    await site.close(false);
  }
}

async function atRate(rate: number, pairs: readonly Pair[], bytes: number): Promise<Figure[]> {
  const [oursAlone, ours, theirsAlone, theirs] = (await Promise.all(pairs.map((pair) => spent(pair, rate)))) as [
    Spent,
    Spent,
    Spent,
    Spent,
  ];
  const [own, others] = [ours.cpu - oursAlone.cpu, theirs.cpu - theirsAlone.cpu];
  return [
    {
      what: `attestation by \`k8s\`, ${PODS} pods on the node (${Math.round(bytes / 1024)} KiB), ${rate}/s`,
      value: `${milliseconds(own)} : ${milliseconds(others)} = ${(own / others).toFixed(2)} (aim 0.1)`,
      against: "the agent's processor time for each, beyond what it is with `unix` alone",
    },
    {
      what: `the whole of it, with the SVID, ${rate}/s`,
      value: `${milliseconds(ours.cpu)} : ${milliseconds(theirs.cpu)} = ${(ours.cpu / theirs.cpu).toFixed(2)}`,
      against: `p50 ${milliseconds(ours.p50)} : ${milliseconds(theirs.p50)}`,
    },
  ];
}

async function spent(pair: Pair, rate: number): Promise<Spent> {
  const took: number[] = [];
  const before = cpuSeconds(pidOf(pair.agent));
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) {
    const next = sleep(1000 / rate);
    took.push(await attest(pair));
    await next;
  }
  return { cpu: (cpuSeconds(pidOf(pair.agent)) - before) / took.length, p50: percentile(took, 0.5) };
}

/** Until the agent has its entry, and then some more. */
async function warmUp(pair: Pair): Promise<void> {
  for (let tries = 0, served = 0; served < 20; tries++) {
    try {
      await attest(pair);
      served += 1;
    } catch (error) {
      if (tries > 60) throw error;
      await sleep(500);
    }
  }
}

/** As a workload that has just been started: on a new connection. Returns the seconds it took. */
async function attest(pair: Pair): Promise<number> {
  const api = workloadApi(pair);
  try {
    const start = performance.now();
    const { value } = await api.x509()[Symbol.asyncIterator]().next();
    if (value?.svids.length !== 1) throw new Error('no SVID');
    return (performance.now() - start) / 1000;
  } finally {
    api.close();
  }
}

async function pairWith(site: Site, maker: Maker, more: Block, selectors: readonly string[]): Promise<Pair> {
  const settings = { log_level: 'WARN' };
  const server = await site.server(maker, { settings });
  const plugins = { WorkloadAttestor: { unix: {}, ...more } };
  const agent = await site.agent(maker, server, { settings, plugins });
  await server.createEntry(server.id('/bench'), agent.id, selectors);
  return { server, agent };
}
