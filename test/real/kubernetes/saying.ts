import type { Cluster } from './cluster.ts';

/** Everything that a pod said, as soon as that fits. */
export async function saying(cluster: Cluster, pod: string, what: RegExp, seconds = 60): Promise<string> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const said = await cluster.kubectl(['logs', pod]).catch((error: Error) => error.message);
    if (new RegExp(what.source, what.flags.replace('g', '')).test(said)) return said;
    if (Date.now() > end) throw new Error(`pod ${pod} did not say ${what} within ${seconds} s:\n${said}`);
    await new Promise((done) => setTimeout(done, 300));
  }
}
