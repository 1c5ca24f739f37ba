import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A directory that is gone with its `await using`. */
export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** A path inside. */
  join(...names: string[]): string;
}

/** A fresh directory (0700) under /tmp, its path short enough for unix sockets whatever TMPDIR says. */
export async function tempDir(): Promise<TempDir> {
  const path = await mkdtemp('/tmp/st-');
  return {
    path,
    join: (...names) => join(path, ...names),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
