// What somebody who installs the packages gets: `npm run check:packages`. The tarballs are installed with plain npm into an
// empty folder; every entry point is imported and type-checked there, and the commands answer. Without a registry for the
// packages that ours need, that cannot be tried: it is skipped, and says so.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, ROOMS } from './pack.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

const root = new URL('..', import.meta.url).pathname;
const LINTERS = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5'] as const;
const work = mkdtempSync(join(tmpdir(), 'steeple-packages-'));
const app = join(work, 'app');

const manifests = ROOMS.map((room) => JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8')) as Manifest);
/** `@steeple/client/tls` and all the others. */
const entryPoints = manifests.flatMap(({ name, exports }) => Object.keys(exports).map((key) => name + key.slice(1)));

let broken = 0;
try {
  const tarballs = pack(join(work, 'packed'));
  console.log(`packed ${tarballs.length} packages`);
  if (install(tarballs)) {
    check('every entry point can be imported', 'node', '--input-type=module', '-e', importing());
    check(
      'every entry point has its types, and the examples of the README files use them right',
      'tsc',
      '--noEmit',
      '-p',
      consumer(),
    );
    check('steeple --version', join(app, 'node_modules/.bin/steeple'), '--version');
    for (const name of ['spire-server', 'spire-agent'])
      check(`${name} answers`, join(app, 'node_modules/.bin', name), '--version');
    report('a trust domain of the installed commands gives an identity', await tryOut());
    for (const tarball of tarballs) lint(tarball);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exitCode = broken === 0 ? 0 : 1;

function install(tarballs: readonly string[]): boolean {
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  const done = run('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs);
  if (done.status === 0) return true;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED/.test(done.output)) {
    console.log('skipped: no package registry can be reached, and what the packages need is not in npm’s cache');
    return false;
  }
  report('the tarballs can be installed', done);
  return false;
}

function importing(): string {
  return entryPoints
    .map((name) => `if (Object.keys(await import('${name}')).length === 0) throw new Error('${name}');`)
    .join('\n');
}

function consumer(): string {
  const lines = entryPoints.map(
    (name, index) => `import * as m${index} from '${name}';\nexport type T${index} = typeof m${index};`,
  );
  writeFileSync(join(app, 'consumer.ts'), lines.join('\n'));
  for (const room of ROOMS) {
    const readme = readFileSync(join(root, room, 'README.md'), 'utf8');
    const examples = [...readme.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code);
    if (examples.length > 0) writeFileSync(join(app, `readme-${room}.ts`), examples.join('\n'));
  }
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    module: 'nodenext',
    strict: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  return app;
}

/** `steeple dev` loads everything there is, native parts too. */
async function tryOut(): Promise<{ status: number | null; output: string }> {
  const steeple = join(app, 'node_modules/.bin/steeple');
  const dev = spawn(steeple, ['dev'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let said = '';
    for await (const part of dev.stdout as AsyncIterable<Buffer>) {
      said += part.toString();
      const socket = /SPIFFE_ENDPOINT_SOCKET=(\S+)/.exec(said)?.[1];
      if (socket !== undefined) return run(steeple, 'api', 'fetch', 'x509', '--socket', socket);
    }
    return { status: 1, output: said };
  } finally {
    const ended = once(dev, 'exit');
    if (dev.exitCode === null && dev.kill('SIGTERM')) await ended;
  }
}

function lint(tarball: string): void {
  const [publint, attw] = LINTERS;
  const name = tarball.slice(tarball.lastIndexOf('/') + 1);
  check(`publint ${name}`, 'npx', '-y', publint, 'run', tarball, '--strict');
  check(`attw ${name}`, 'npx', '-y', attw, tarball, '--profile', 'esm-only');
}

function check(law: string, command: string, ...args: string[]): void {
  report(law, run(command, ...args));
}

function report(law: string, done: { readonly status: number | null; readonly output: string }): void {
  const kept = done.status === 0;
  console.log(`${kept ? 'kept  ' : 'BROKEN'} ${law}`);
  if (kept) return;
  broken += 1;
  console.log(done.output);
}

function run(command: string, ...args: string[]): { status: number | null; output: string } {
  const done = spawnSync(command, args, { cwd: app, encoding: 'utf8', maxBuffer: 1 << 26 });
  return { status: done.status, output: [done.stdout, done.stderr, done.error?.message].filter(Boolean).join('\n') };
}
