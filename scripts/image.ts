// Makes the root file system of a container image with Steeple, Node and the libraries it needs, and nothing else:
// `npm run image -- <folder>`, then `docker build -t steeple:0.1.0 -f deploy/Dockerfile <folder>`.
import { execFileSync } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { ROOMS } from './pack.ts';

const root = resolve(import.meta.dirname, '..');
/** Where Steeple is in the image. */
const HOME = 'opt/steeple';
const TESTS = /(\.(test|contract|fixture)\.ts|-(samples|for-tests)\.ts|[/]testing|[/]fixture\.ts)$/;
const PROGRAMS = ['steeple', 'spire-server', 'spire-agent'];
const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/** Fills a new folder. The same checkout gives the same files. */
export async function makeImageRoot(target: string): Promise<void> {
  for (const folder of ['usr/bin', 'etc/ssl/certs', 'tmp', 'run', 'var/lib'])
    await mkdir(join(target, folder), { recursive: true });
  await chmod(join(target, 'tmp'), 0o1777);
  const users = 'root:x:0:0::/:/sbin/nologin\nsteeple:x:10001:10001::/:/sbin/nologin\n';
  await writeFile(join(target, 'etc/passwd'), users);
  await writeFile(join(target, 'etc/group'), 'root:x:0:\nsteeple:x:10001:\n');
  await copyFile(CA_BUNDLE, join(target, CA_BUNDLE)).catch(() => undefined);
  await copyNode(target);
  await copyRooms(join(target, HOME));
  for (const name of PROGRAMS) {
    const program = join(target, 'usr/bin', name);
    // A file with a shebang of its own: there is no shell and no /usr/bin/env.
    await writeFile(program, `#!/usr/bin/node\nimport('/${HOME}/cli/src/bin/${name}.ts');\n`);
    await chmod(program, 0o755);
  }
}

/** Node, and the shared libraries that the loader would find for it and for the native modules. */
async function copyNode(target: string): Promise<void> {
  const node = await realpath(process.execPath);
  await copyFile(node, join(target, 'usr/bin/node'));
  const listed = execFileSync('ldd', [node], { encoding: 'utf8' });
  const libraries = [...listed.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
  for (const library of libraries) {
    const to = join(target, library);
    await mkdir(dirname(to), { recursive: true });
    await copyFile(await realpath(library), to);
  }
}

/** The rooms as in a checkout, without tests: Node runs TypeScript outside of node_modules only. */
async function copyRooms(home: string): Promise<void> {
  const packages = new Set<string>();
  for (const room of ROOMS) {
    const from = join(root, room);
    await mkdir(join(home, room), { recursive: true });
    await copyFile(join(from, 'package.json'), join(home, room, 'package.json'));
    await cp(join(from, 'src'), join(home, room, 'src'), { recursive: true, filter: (path) => !TESTS.test(path) });
    for (const name of await runtimeDependencies(from)) {
      const link = join(home, room, 'node_modules', name);
      const real = await realpath(join(from, 'node_modules', name));
      await mkdir(dirname(link), { recursive: true });
      await symlink(relative(dirname(link), join(home, relative(root, real))), link);
      if (real.includes('/.pnpm/')) await collect(real, packages);
    }
  }
  for (const folder of packages) {
    await cp(folder, join(home, relative(root, folder)), { recursive: true, verbatimSymlinks: true });
  }
}

async function runtimeDependencies(room: string): Promise<readonly string[]> {
  const { dependencies = {} } = JSON.parse(await readFile(join(room, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  return Object.keys(dependencies).filter((name) => !name.startsWith('@types/'));
}

/** The package's folder in the store, and those of all that it links to. */
async function collect(real: string, packages: Set<string>): Promise<void> {
  const folder = real.slice(0, real.indexOf('/node_modules/', real.indexOf('/.pnpm/')));
  if (packages.has(folder)) return;
  packages.add(folder);
  const modules = join(folder, 'node_modules');
  for (const entry of await readdir(modules)) {
    const names = entry.startsWith('@')
      ? (await readdir(join(modules, entry))).map((name) => join(entry, name))
      : [entry];
    for (const name of names) {
      const linked = await realpath(join(modules, name));
      if (!linked.startsWith(`${folder}/`)) await collect(linked, packages);
    }
  }
}

if (import.meta.main) {
  const target = process.argv[2];
  if (target === undefined) throw new Error('usage: npm run image -- <new folder>');
  await makeImageRoot(resolve(target));
  console.log(`${basename(resolve(target))} is the root of an image`);
}
