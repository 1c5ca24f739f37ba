import { Failed } from './exit.ts';
import type { CliContext } from './verb.ts';

/** A server or an agent, as the command line runs it. */
export interface Daemon {
  start(): Promise<void>;
  /** Resolves when it has been stopped; rejects with what made it stop by itself. */
  wait(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts daemons in order and stays until one ends or the user interrupts; then stops them in reverse order. */
export async function runDaemons(
  daemons: readonly Daemon[],
  context: Pick<CliContext, 'signal'>,
  started: () => Promise<void> | void = () => {},
): Promise<void> {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    if (context.signal.aborted) resolve('interrupted');
    context.signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  const running: Daemon[] = [];
  try {
    for (const daemon of daemons) {
      running.push(daemon);
      if ((await Promise.race([daemon.start(), interrupted])) === 'interrupted') return;
    }
    await started();
    await Promise.race([interrupted, ...running.map((daemon) => daemon.wait())]);
    if (!context.signal.aborted) throw new Failed('stopped by itself');
  } finally {
    for (const daemon of running.toReversed()) await daemon.stop();
  }
}
