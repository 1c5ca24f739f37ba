import type { CompatIo } from './io.ts';
import { processIo } from './process-io.ts';
import { runCompat } from './program.ts';

/** Runs a command line of one of SPIRE's programs; returns the exit code. */
export async function compatMain(
  name: 'spire-server' | 'spire-agent',
  words: readonly string[],
  io: CompatIo = processIo(),
): Promise<number> {
  const program =
    name === 'spire-server'
      ? (await import('./server/index.ts')).spireServer(io.env)
      : (await import('./agent/index.ts')).spireAgent;
  return runCompat(program, words, io);
}
