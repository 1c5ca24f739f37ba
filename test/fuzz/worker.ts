// One target in a thread of its own: a reader that hangs can be seen from outside, and what it hangs on.
import { parentPort, workerData } from 'node:worker_threads';
import { InputInView } from './input-in-view.ts';
import { runTarget } from './run-target.ts';
import { TARGETS } from './targets/index.ts';

interface Work {
  readonly target: string;
  readonly seed: number;
  readonly inputs: number;
  readonly view: SharedArrayBuffer;
}

const { target: name, view, ...run } = workerData as Work;
const target = TARGETS.find((one) => one.name === name);
if (target === undefined) throw new Error(`no target ${name}`);
const inView = new InputInView(view);
parentPort?.postMessage(await runTarget(target, run, (input) => inView.show(input)));
