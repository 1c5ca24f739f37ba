// Builds the packages as they would be published, each a tarball: `npm run pack [-- <folder>]`. They are compiled in a
// clean copy and without tests, so that nothing else gets in; pnpm puts real versions and `publishConfig` in their place.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const ROOMS = ['spiffe', 'core', 'proto', 'client', 'daemon', 'plugins', 'server', 'agent', 'cli'] as const;

const root = new URL('..', import.meta.url).pathname;
const SHARED = ['package.json', 'pnpm-workspace.yaml', 'tsconfig.base.json', 'LICENSE'];
const PARTS = ['package.json', 'README.md', 'src', 'node_modules'];
const TESTS = [
  '**/*.test.ts',
  '**/*.fixture.ts',
  '**/fixture.ts',
  '**/*.contract.ts',
  '**/*-samples.ts',
  '**/*-for-tests.ts',
];

/** Makes the tarballs in a folder and returns their paths. */
export function pack(target: string): readonly string[] {
  const copy = mkdtempSync(join(tmpdir(), 'steeple-pack-'));
  try {
    for (const file of SHARED) cpSync(join(root, file), join(copy, file));
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    // Links between the rooms are relative: they lead to the copies.
    for (const room of ROOMS) copyRoom(room, copy);
    execFileSync('tsc', ['-b', 'cli'], { cwd: copy, stdio: 'inherit' });
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    for (const room of ROOMS) {
      const cwd = join(copy, room);
      execFileSync('npx', ['-y', 'pnpm@12.21.0', 'pack', '--pack-destination', target], { cwd, stdio: 'pipe' });
    }
    return readdirSync(target).map((file) => join(target, file));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function copyRoom(room: (typeof ROOMS)[number], copy: string): void {
  for (const part of PARTS) {
    const from = join(root, room, part);
    if (existsSync(from)) cpSync(from, join(copy, room, part), { recursive: true, verbatimSymlinks: true });
  }
  const config = JSON.parse(readFileSync(join(root, room, 'tsconfig.json'), 'utf8')) as TsConfig;
  // The client's fakes are for the tests of others.
  const exclude = room === 'client' ? TESTS : [...TESTS, 'src/**/testing'];
  const compilerOptions = { ...config.compilerOptions, sourceMap: false };
  const references = config.references.filter(({ path }) => !path.startsWith('../test'));
  writeFileSync(join(copy, room, 'tsconfig.json'), JSON.stringify({ ...config, compilerOptions, references, exclude }));
}

interface TsConfig {
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  readonly references: readonly { readonly path: string }[];
}

if (import.meta.main) {
  for (const path of pack(resolve(process.argv[2] ?? join(root, 'dist')))) console.log(path);
}
