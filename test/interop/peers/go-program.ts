// Go programs by name and version, each in a folder of its own in the cache.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../stack/process.ts';
import { Skip } from '../case.ts';
import { exists, peerCache } from './cache.ts';
import { once } from './once.ts';

export interface GoProgram {
  readonly name: string;
  /** What `go install` takes, without the version. */
  readonly package: string;
  readonly version: string;
  /** Runs without the machine's libraries, in an image that has none. */
  readonly static?: boolean;
  /** Where its source is, for a module proxy that does not have it. A variable of the environment may say otherwise. */
  readonly source?: { readonly git: string; readonly variable: string; readonly folder: string };
}

/** The path of the program, built when it is not there yet. @throws Skip if it cannot be built here */
export const goProgram = (program: GoProgram): Promise<string> => once(program.name, () => locate(program));

async function locate({ name, package: from, version, static: isStatic = false, source }: GoProgram): Promise<string> {
  const folder = join(peerCache, `${name}-${version}`);
  const path = join(folder, name);
  if (await exists(path)) return path;
  if ((await run('go', ['version'])).code !== 0) throw new Skip(`Go is not installed, and ${name} is not there`);
  // In a folder of its own: the binary of a module is named after the last part of its package.
  const work = await mkdtemp(join(tmpdir(), 'steeple-peers-'));
  try {
    const env = { ...process.env, GOBIN: work, GOFLAGS: '-mod=mod', ...(isStatic && { CGO_ENABLED: '0' }) };
    let built = await run('go', ['install', `${from}@v${version}`], { env });
    if (built.code === 0) {
      await run('install', ['-D', join(work, from.split('/').at(-1) ?? name), path]);
      return path;
    }
    if (source !== undefined) {
      const repository = process.env[source.variable] ?? source.git;
      const cloned = await run('git', [
        'clone',
        '--quiet',
        '--branch',
        `v${version}`,
        repository,
        join(work, 'source'),
      ]);
      if (cloned.code !== 0) throw new Skip(`${name} can neither be installed nor cloned: ${lastLine(cloned.output)}`);
      built = await run('go', ['build', '-mod=mod', '-o', path, source.folder], { cwd: join(work, 'source'), env });
      if (built.code === 0) return path;
    }
    throw new Skip(`${name} cannot be built here: ${lastLine(built.output)}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

export const lastLine = (output: string): string => output.trim().split('\n').at(-1) ?? '';
