// `npm run bench -- --only storm`: thousands of agents that attest at once, connect at once, and come back at once.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import { Site } from '../../interop/spire/site.ts';
import { cpuSeconds, type Figure, milliseconds, percentile, residentMiB } from '../figures.ts';
import type { StormOrder, StormReport } from './storm-agents.ts';

const PROCESSES = 2;

/** What the server did meanwhile. */
interface Watched {
  /** Seconds that the admin socket took to answer. */
  readonly answers: readonly number[];
  readonly peakMiB: number;
  readonly cpu: number;
}

/** Asks the admin socket every 50 ms while the storm lasts. */
async function watching<T>(server: ServerUnit, during: Promise<T>): Promise<{ result: T; watched: Watched }> {
  const pid = server.process.child.pid ?? 0;
  const cpu = cpuSeconds(pid);
  const answers: number[] = [];
  let peakMiB = 0;
  const over = new AbortController();
  const ended = during.finally(() => over.abort());
  while (!over.signal.aborted) {
    const start = performance.now();
    await server.api.bundle.getBundle({}, { deadline: 60 });
    answers.push((performance.now() - start) / 1000);
    peakMiB = Math.max(peakMiB, residentMiB(pid));
    await Promise.race([ended, new Promise((tick) => setTimeout(tick, 50))]);
  }
  return { result: await ended, watched: { answers, peakMiB, cpu: cpuSeconds(pid) - cpu } };
}

class Crowd {
  readonly #processes: readonly ChildProcess[];

  constructor() {
    this.#processes = Array.from({ length: PROCESSES }, () => fork(join(import.meta.dirname, 'storm-agents.ts')));
  }

  /** Resolves with the function that waits for the end, when all have begun. */
  async order(command: string, orders: readonly StormOrder[] = []): Promise<() => Promise<StormReport>> {
    const reports = this.#processes.map(async (child, index) => {
      const begun = once(child, 'message');
      child.send({ command, order: orders[index] });
      await begun;
      return once(child, 'message').then(([report]) => report as StormReport);
    });
    return async () => {
      const all = await Promise.all(reports);
      const sum = (pick: (one: StormReport) => number): number => all.reduce((total, one) => total + pick(one), 0);
      return {
        all: Math.max(...all.map((one) => one.all)),
        p50: Math.max(...all.map((one) => one.p50)),
        sentAway: sum((one) => one.sentAway),
        failed: sum((one) => one.failed),
      };
    };
  }

  stop(): void {
    for (const child of this.#processes) child.kill();
  }
}

const describe = (what: string, { all, p50, sentAway, failed }: StormReport, watched?: Watched): Figure => ({
  what,
  value: `half served after ${p50.toFixed(1)} s, all after ${all.toFixed(1)} s; ${sentAway} appointments, ${failed} failures on the way`,
  against: watched
    ? `${watched.cpu.toFixed(1)} s of CPU; memory up to ${Math.round(watched.peakMiB)} MiB; admin socket p50 ${milliseconds(percentile(watched.answers, 0.5))}, worst ${milliseconds(Math.max(...watched.answers))}`
    : 'the server is killed and started again meanwhile',
});

export async function storm(count: number, maker: 'steeple' | 'spire' = 'steeple'): Promise<Figure[]> {
  const site = await Site.open();
  const crowd = new Crowd();
  try {
    const server = await site.server(maker, { settings: { log_level: 'WARN' } });
    const roots = await server.bundlePem();
    const share = Math.ceil(count / PROCESSES);
    const orders: StormOrder[] = [];
    for (let n = 0; n < PROCESSES; n += 1) {
      const tokens: string[] = [];
      while (tokens.length < share) tokens.push(await server.joinToken());
      const { name: trustDomain } = server.trustDomain;
      orders.push({ address: `127.0.0.1:${server.port}`, trustDomain, roots, tokens, watches: maker === 'steeple' });
    }
    const attested = await watching(server, (await crowd.order('attest', orders))());
    const connected = await watching(server, (await crowd.order('connect'))());
    const figures = [
      describe(`${share * PROCESSES} agents attest at once`, attested.result, attested.watched),
      describe(
        `${share * PROCESSES} agents connect and ask for their entries at once`,
        connected.result,
        connected.watched,
      ),
    ];
    if (maker === 'spire') return figures;
    const back = await crowd.order('again');
    await server.restart('SIGKILL');
    const returned = await watching(server, back());
    return [...figures, describe(`the server is killed and started: all come back`, returned.result, returned.watched)];
  } finally {
    crowd.stop();
    await site.close(false);
  }
}
