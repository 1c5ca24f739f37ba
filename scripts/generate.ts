// Regenerates proto/src/gen from proto/proto with the installed buf and protoc-gen-es; needs no network.
// `--check` writes nothing into the tree: it fails when the committed code differs from what the contracts give.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const room = join(root, 'proto');
const committed = join(room, 'src', 'gen');

/** Runs buf in the room; its output folder `src/gen` lies under `base`. */
function generate(base: string): void {
  const path = `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`;
  const done = spawnSync('buf', ['generate', '--output', base], {
    cwd: room,
    stdio: 'inherit',
    env: { ...process.env, PATH: path, BUF_CACHE_DIR: join(tmpdir(), 'steeple-buf-cache') },
  });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** Relative names of all generated files, with their text. */
function filesUnder(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return new Map(names.toSorted().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

function driftedFiles(): string[] {
  const base = mkdtempSync(join(tmpdir(), 'steeple-gen-'));
  try {
    generate(base);
    const [fresh, old] = [filesUnder(join(base, 'src', 'gen')), filesUnder(committed)];
    if (fresh.size === 0) throw new Error('buf generated nothing');
    return [...new Set([...fresh.keys(), ...old.keys()])].filter((name) => fresh.get(name) !== old.get(name));
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

if (process.argv.includes('--check')) {
  const drifted = driftedFiles();
  for (const name of drifted) console.error(`proto/src/gen/${name} differs; run: npm run generate`);
  process.exitCode = drifted.length === 0 ? 0 : 1;
} else {
  generate(room);
}
