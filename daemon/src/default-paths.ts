import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './config/expand-env.ts';

export type Role = 'server' | 'agent';

/**
 * The socket of a process when none is configured: in the user's runtime folder, else in `/run/steeple`. The processes
 * and whoever looks for them agree on it here.
 */
export function defaultSocket(role: Role, env: Environment): string {
  const runtime = env['XDG_RUNTIME_DIR'];
  return join(runtime ? join(runtime, 'steeple') : '/run/steeple', role, 'api.sock');
}

/** The data directory of a process when none is configured: in `/var/lib` for root, else among the user's own. */
export function defaultDataDir(role: Role, env: Environment): string {
  const state = env['XDG_STATE_HOME'];
  if (state) return join(state, 'steeple', role);
  return process.getuid?.() === 0
    ? `/var/lib/steeple/${role}`
    : join(env['HOME'] ?? homedir(), '.local', 'state', 'steeple', role);
}
