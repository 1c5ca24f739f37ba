// Small programs on client libraries of other languages, compiled here from this project's sources.
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finished, run } from '../../stack/process.ts';
import { Skip } from '../case.ts';
import { exists, peerCache } from './cache.ts';
import { pythonWithSpiffe } from './clients.ts';
import { lastLine } from './go-program.ts';
import { once } from './once.ts';

const sources = join(import.meta.dirname, '..', 'programs', 'clients');

export interface Command {
  /** With no symbolic link in it, as an agent sees it. */
  readonly path: string;
  readonly args: readonly string[];
}

/** Builds in a copy that takes its place in the cache when all went well; other sources get another place. */
const built = (language: string, build: (dir: string) => Promise<Finished>): Promise<string> =>
  once(`workload-${language}`, () => make(language, build));

async function make(language: string, build: (dir: string) => Promise<Finished>): Promise<string> {
  const from = join(sources, language);
  const hash = createHash('sha256');
  for (const file of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) hash.update(file.name).update(await readFile(join(file.parentPath, file.name)));
  }
  const folder = join(peerCache, `workload-${language}-${hash.digest('hex').slice(0, 8)}`);
  if (await exists(folder)) return folder;
  await mkdir(peerCache, { recursive: true });
  const work = await mkdtemp(join(peerCache, 'building-'));
  try {
    await cp(from, work, { recursive: true });
    const { code, output } = await build(work);
    if (code === 127) throw new Skip(`what builds programs in ${language} is not installed`);
    if (code !== 0) throw new Skip(`the program in ${language} cannot be built here: ${lastLine(output)}`);
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

export async function goWorkload(): Promise<Command> {
  const folder = await built('go', (cwd) => run('go', ['build', '-mod=mod', '-o', 'workload', '.'], { cwd }));
  return { path: await realpath(join(folder, 'workload')), args: [] };
}

export async function rustWorkload(): Promise<Command> {
  const folder = await built('rust', (cwd) => run('cargo', ['build', '--quiet'], { cwd }));
  return { path: await realpath(join(folder, 'target', 'debug', 'workload')), args: [] };
}

export async function javaWorkload(): Promise<Command> {
  const folder = await built('java', async (cwd) => {
    const fetched = await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], { cwd });
    if (fetched.code !== 0) return fetched;
    return run('javac', ['-cp', 'lib/*', 'Workload.java'], { cwd });
  });
  const { output } = await run('sh', ['-c', 'command -v java']);
  const classes = [join(folder, 'lib', '*'), folder].join(':');
  return { path: await realpath(output.trim()), args: ['-cp', classes, 'Workload'] };
}

export async function pythonWorkload(): Promise<Command> {
  // Called by its own name: from the link Python knows its environment.
  return { path: await pythonWithSpiffe(), args: [join(sources, 'workload.py')] };
}
