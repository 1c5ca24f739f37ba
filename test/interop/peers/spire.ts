// Real SPIRE, built from its published source. Three programs of about 340 MB that take minutes to build the first time.
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../stack/process.ts';
import { Skip } from '../case.ts';
import { exists, peerCache } from './cache.ts';

export const SPIRE_VERSION = '1.15.3';
const GO_VERSION = '1.26.6';

const packages = {
  'spire-server': 'github.com/spiffe/spire/cmd/spire-server',
  'spire-agent': 'github.com/spiffe/spire/cmd/spire-agent',
  'oidc-discovery-provider': 'github.com/spiffe/spire/support/oidc-discovery-provider',
} as const;
export type SpireProgram = keyof typeof packages;
export const SPIRE_PROGRAMS = Object.keys(packages) as SpireProgram[];

/** Where the programs are; `STEEPLE_SPIRE_DIR` names a folder with other builds of the same version. */
const folder = process.env['STEEPLE_SPIRE_DIR'] ?? join(peerCache, `spire-${SPIRE_VERSION}`);

const found = new Map<SpireProgram, Promise<string>>();

/** The path of a real program of the right version. @throws Skip if it is neither there nor can be built here. */
export function spireProgram(name: SpireProgram): Promise<string> {
  const path = found.get(name) ?? locate(name);
  found.set(name, path);
  return path;
}

async function locate(name: SpireProgram): Promise<string> {
  const path = join(folder, name);
  if (!(await exists(path))) await build();
  const { output } = await run(path, ['-version']);
  if (output.trim().split('-')[0] !== SPIRE_VERSION) {
    throw new Skip(`${path} is version ${output.trim() || 'unknown'}, not ${SPIRE_VERSION}`);
  }
  return path;
}

let building: Promise<void> | undefined;

/** Builds all of them, once, beside their place and then into it: a broken build leaves nothing behind. */
function build(): Promise<void> {
  building ??= (async () => {
    await requireTools();
    const work = await mkdtemp(join(tmpdir(), 'steeple-peers-'));
    try {
      await cp(join(import.meta.dirname, 'spire'), work, { recursive: true });
      await mkdir(join(work, 'bin'));
      const args = ['build', '-mod=mod', '-o', `${work}/bin/`, ...Object.values(packages)];
      const built = await run('go', args, { cwd: work, env: { ...process.env, CGO_ENABLED: '1' } });
      if (built.code !== 0) throw new Skip(`SPIRE cannot be built here: ${built.output.trim().split('\n').at(-1)}`);
      await mkdir(folder, { recursive: true });
      for (const name of SPIRE_PROGRAMS) await place(join(work, 'bin', name), join(folder, name));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  })();
  return building;
}

async function place(from: string, to: string): Promise<void> {
  const beside = `${to}.${process.pid}`;
  await cp(from, beside);
  await rename(beside, to);
}

async function requireTools(): Promise<void> {
  const go = await run('go', ['env', 'GOVERSION'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  if (go.code !== 0) throw new Skip(`Go is not installed (SPIRE needs ${GO_VERSION} or newer)`);
  const version = go.output.trim().replace(/^go/, '');
  if (version.localeCompare(GO_VERSION, 'en', { numeric: true }) < 0) {
    throw new Skip(`SPIRE needs Go ${GO_VERSION} or newer, this is ${version}`);
  }
  const gcc = await run('gcc', ['--version']);
  if (gcc.code !== 0) throw new Skip('gcc is not installed (SPIRE embeds SQLite through cgo)');
}
