// A module of the daemon room stays there only while both the server and the agent reach it. Whoever imports a barrel would
// reach everything in it, so what counts are the names that are imported, and what their modules import in turn. Plugins and
// the command line are for both.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IMPORT = /^(?:import|export)\s+(?:type\s+)?(?:\{([^}]*)\}|\*(?:\s+as\s+\w+)?)\s+from\s+'([^']+)'/gm;
const SIDES = {
  server: ['server', 'plugins', 'cli'],
  agent: ['agent', 'plugins', 'cli'],
} as const;

/** Each module of the daemon room that a side does not reach, with that side. */
export function unsharedModules(root: string): readonly string[] {
  const modules = sources(root, 'daemon').filter((path) => !path.endsWith('/index.ts'));
  return Object.entries(SIDES).flatMap(([side, rooms]) => {
    const reached = new Set<string>();
    for (const path of rooms.flatMap((room) => sources(root, room))) {
      for (const { names, from } of importsOf(root, path)) {
        const barrel = barrelOf(root, from);
        if (barrel !== undefined) follow(root, barrel, names, reached);
      }
    }
    return modules.filter((path) => !reached.has(path)).map((path) => `${path} is not reached from ${side}`);
  });
}

/** What a module imports by these names: of a barrel only that, of another module everything. */
function follow(root: string, path: string, names: readonly string[], reached: Set<string>): void {
  const isBarrel = path.endsWith('/index.ts');
  if (!isBarrel) {
    if (reached.has(path)) return;
    reached.add(path);
  }
  for (const { names: offered, from } of importsOf(root, path)) {
    if (!from.startsWith('.')) continue;
    const wanted = isBarrel ? offered.filter((name) => names.includes(name)) : offered;
    if (!isBarrel || wanted.length > 0) follow(root, join(dirname(path), from), wanted, reached);
  }
}

/** The file behind `@steeple/daemon` or one of its further entry points. */
function barrelOf(root: string, from: string): string | undefined {
  if (from !== '@steeple/daemon' && !from.startsWith('@steeple/daemon/')) return undefined;
  const { exports } = JSON.parse(readFileSync(join(root, 'daemon/package.json'), 'utf8')) as {
    exports: Readonly<Record<string, string>>;
  };
  return join('daemon', exports[`.${from.slice('@steeple/daemon'.length)}`] ?? from);
}

function importsOf(root: string, path: string): { names: string[]; from: string }[] {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, list = '', from = '']) => ({
    from,
    names: list
      .split(',')
      .map((name) => name.trim().replace(/^type\s+/, ''))
      .map((name) => name.split(/\s+as\s+/)[0] ?? '')
      .filter((name) => name !== ''),
  }));
}

function sources(root: string, room: string): string[] {
  return globSync(`${room}/src/**/*.ts`, { cwd: root }).filter(
    (path) => !/\.(test|fixture|contract)\.ts$|-for-tests\.ts$|\/testing\//.test(path),
  );
}
