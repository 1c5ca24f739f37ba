import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** Work in other threads, by the names that Node gives it. */
const ELSEWHERE = /Req|Job/;

/**
 * Resolves when everything that was set off has come to its end: both ends of each connection live in this process, so an
 * event loop that has had nothing to do for two looks says that nothing is on its way. A busy machine makes it slower, not
 * wrong.
 */
export async function settle(): Promise<void> {
  for (let quiet = 0; quiet < 2; ) {
    const { events } = performance.nodeTiming.uvMetricsInfo;
    await delay(1);
    const rests =
      performance.nodeTiming.uvMetricsInfo.events === events &&
      !process.getActiveResourcesInfo().some((kind) => ELSEWHERE.test(kind));
    quiet = rests ? quiet + 1 : 0;
  }
}
