import { buffer } from 'node:stream/consumers';
import type { CompatIo } from './io.ts';

/** The world of this process. */
export function processIo(): CompatIo {
  let interrupted: AbortController | undefined;
  return {
    env: process.env,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    stdin: () => buffer(process.stdin),
    now: () => Date.now() / 1000,
    // Until a command asks for it, a signal ends the process as usual.
    get signal() {
      interrupted ??= interruption();
      return interrupted.signal;
    },
  };
}

const interruption = (): AbortController => {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(signal));
  return interrupted;
};
