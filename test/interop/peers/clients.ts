// Real clients, installed by name.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../stack/process.ts';
import { Skip } from '../case.ts';
import { exists, peerCache } from './cache.ts';

const goSpiffe = 'v2.8.1';
const pySpiffe = { spiffe: '0.3.2' };

/** An example program of go-spiffe; built when it is not there yet. */
export async function goExample(name: string): Promise<string> {
  const folder = join(peerCache, `go-spiffe-${goSpiffe}`, ...name.split('/').slice(0, -1));
  const path = join(folder, name.split('/').at(-1) ?? name);
  if (await exists(path)) return path;
  if ((await run('go', ['version'])).code !== 0) throw new Skip('Go is not installed');
  await mkdir(folder, { recursive: true });
  const env = { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' };
  const built = await run('go', ['install', `github.com/spiffe/go-spiffe/v2/examples/${name}@${goSpiffe}`], { env });
  if (built.code !== 0) throw new Skip(`go install failed: ${built.output.trim().split('\n').at(-1)}`);
  return path;
}

/** A Python with py-spiffe in an environment of its own. */
export async function pythonWithSpiffe(): Promise<string> {
  const folder = join(peerCache, `py-spiffe-${pySpiffe.spiffe}`);
  const python = join(folder, 'bin', 'python');
  if ((await run(python, ['-c', 'import spiffe'])).code === 0) return python;
  if ((await run('python3', ['--version'])).code !== 0) throw new Skip('Python 3 is not installed');
  const made = await run('python3', ['-m', 'venv', folder]);
  if (made.code !== 0) throw new Skip('python3 -m venv failed (is python3-venv installed?)');
  const installed = await run(python, ['-m', 'pip', 'install', '--quiet', `spiffe==${pySpiffe.spiffe}`]);
  if (installed.code !== 0) throw new Skip(`pip install failed: ${installed.output.trim().split('\n').at(-1)}`);
  return python;
}
