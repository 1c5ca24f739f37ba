// Real peers lie in a cache folder outside the project and are never part of it.
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const peerCache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'steeple-peers');

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
