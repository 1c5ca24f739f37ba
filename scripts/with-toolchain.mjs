// Runs a TypeScript entry point on the pinned Node, installing the workspace first where that is due.
// This file must run on any Node from 20 on: it is the first thing a fresh machine executes.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const node = join(modules, '.bin', 'node');
const stamp = join(modules, '.steeple-installed');
const pnpm = 'pnpm@12.21.0';

/** What an installation depends on: the lock file and the machine's kind. */
function wanted() {
  const hash = createHash('sha256');
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)));
  return hash.update(`${process.platform} ${process.arch}`).digest('hex');
}

function install() {
  const want = wanted();
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return;
  console.error('steeple: installing dependencies (first run, or the lock file changed)…');
  const done = spawnSync('npx', ['-y', pnpm, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, CI: 'true' },
  });
  if (done.status !== 0) {
    console.error(
      'steeple: installation failed; see the lines above. Node 20 or later, npm and a package registry are needed.',
    );
    process.exit(1);
  }
  writeFileSync(stamp, want);
}

install();
const [entry, ...args] = process.argv.slice(2);
const flags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8'];
const child = spawn(node, [...flags, join(root, entry), ...args], {
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: `${join(modules, '.bin')}:${process.env.PATH}`,
    // Stripped and compiled once, kept where only those can write who could change the code itself.
    NODE_COMPILE_CACHE: join(modules, '.cache', 'steeple-code'),
  },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
