import { Worker } from 'node:worker_threads';
import { InputInView } from './input-in-view.ts';
import type { Outcome } from './run-target.ts';

/** Seconds that one input may take before it counts as a hang; a busy machine is slow too. */
const PATIENCE = 60;

/** Runs a target in its thread. A thread that dies or hangs is a finding like another. */
export function startTarget(
  target: string,
  work: { readonly seed: number; readonly inputs: number; readonly view: SharedArrayBuffer },
): Promise<Outcome> {
  const view = new InputInView(work.view);
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: { target, ...work } });
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const failed = (what: string): void => {
    const finding = { what, input: view.current };
    resolve({ target, inputs: view.count, accepted: 0, compared: 0, stricter: {}, findings: [finding] });
  };
  worker.once('message', resolve);
  worker.once('error', (error) => failed(`crashed: ${error.stack ?? error.message}`));
  worker.once('exit', () => failed('ended without an answer'));
  const watch = watchFor(PATIENCE, view, () => {
    failed(`one input takes more than ${PATIENCE} s`);
    void worker.terminate();
  });
  return promise.finally(() => clearInterval(watch));
}

function watchFor(patience: number, view: InputInView, onHang: () => void): NodeJS.Timeout {
  let last = -1;
  let since = performance.now();
  return setInterval(() => {
    if (view.count !== last) {
      last = view.count;
      since = performance.now();
    } else if (performance.now() - since > patience * 1000) {
      onHang();
    }
  }, 1000);
}
