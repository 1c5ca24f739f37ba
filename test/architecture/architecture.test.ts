// The import law. A cruise that sees no modules would pass by checking nothing, so the count has a floor,
// and a tree with planted bad imports must be refused by the same rules.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { tempDir } from '@steeple/test-kit';
import { cruise, type ICruiseResult, type IViolation } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';
import { unsharedModules } from './shared-modules.ts';

const rules = new URL('../../.dependency-cruiser.mjs', import.meta.url).href;
const { default: config } = (await import(rules)) as { default: { options: object } };
const root = new URL('../../', import.meta.url).pathname;
const rooms = ['spiffe', 'core', 'proto', 'client', 'daemon', 'plugins', 'server', 'agent', 'cli'];

async function look(baseDir: string, folders: string[]): Promise<ICruiseResult> {
  const { options, ...ruleSet } = config;
  const done = await cruise(folders, { ...options, baseDir, validate: true, ruleSet } as never);
  return done.output as ICruiseResult;
}

const planted = new URL('planted/', import.meta.url).pathname;
const told = (found: readonly IViolation[]): string[] => found.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`);

describe('the map of rooms', () => {
  it('holds for every import', async () => {
    const result = await look(root, [...rooms.map((room) => `${room}/src`), 'test/kit/src']);
    expect(result.summary.totalCruised).toBeGreaterThan(150);
    expect(told(result.summary.violations)).toEqual([]);
  }, 120_000);

  it('refuses planted bad imports', async () => {
    const result = await look(planted, ['spiffe/src', 'core/src', 'server/src']);
    const found = told(result.summary.violations);
    expect(found).toContain('not-in-allowed: core/src/rule.ts -> server/src/server.ts');
    expect(found).toContain('not-in-allowed: spiffe/src/reads-files.ts -> fs');
  }, 120_000);
});

describe('what server and agent share', () => {
  it('is all that stands in the daemon room', () => {
    expect(unsharedModules(root)).toEqual([]);
  });

  it('does not become so by standing in a barrel, nor by being imported for something else', async () => {
    await using dir = await tempDir();
    const files = {
      'daemon/package.json': '{ "exports": { ".": "./src/index.ts", "./more": "./src/more/index.ts" } }',
      'daemon/src/index.ts': "export { shared } from './shared.ts';\nexport { mine, type Mine } from './mine.ts';\n",
      'daemon/src/shared.ts': "import { inner } from './inner.ts';\nexport const shared = inner;\n",
      'daemon/src/inner.ts': 'export const inner = 1;\n',
      'daemon/src/mine.ts': 'export const mine = 1;\nexport type Mine = number;\n',
      'daemon/src/mine.test.ts': "import { mine } from './mine.ts';\n",
      'daemon/src/more/index.ts': "export {\n  nobody,\n  other as another,\n} from './nobody.ts';\n",
      'daemon/src/more/nobody.ts': 'export const nobody = 1;\nexport const other = 1;\n',
      'server/src/server.ts':
        "import { shared } from '@steeple/daemon';\nimport { something } from '@steeple/daemon/more';\n",
      'agent/src/agent.ts': "import {\n  type Mine,\n  shared,\n} from '@steeple/daemon';\n",
      'agent/src/agent.test.ts': "import { nobody } from '@steeple/daemon/more';\n",
    };
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(dir.join(path)), { recursive: true });
      await writeFile(dir.join(path), text);
    }
    expect(unsharedModules(dir.path)).toEqual([
      'daemon/src/mine.ts is not reached from server',
      'daemon/src/more/nobody.ts is not reached from server',
      'daemon/src/more/nobody.ts is not reached from agent',
    ]);
  });
});
