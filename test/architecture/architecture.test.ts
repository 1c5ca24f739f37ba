// The import law. A cruise that sees no modules would pass by checking nothing, so the count has a floor,
// and a tree with planted bad imports must be refused by the same rules.
import { cruise, type ICruiseResult, type IViolation } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';

const rules = new URL('../../.dependency-cruiser.mjs', import.meta.url).href;
const { default: config } = (await import(rules)) as { default: { options: object } };
const root = new URL('../../', import.meta.url).pathname;
const rooms = ['spiffe', 'core', 'proto', 'client', 'daemon', 'plugins', 'server', 'agent', 'cli'];

async function look(baseDir: string, folders: string[]): Promise<ICruiseResult> {
  const { options, ...ruleSet } = config;
  const done = await cruise(folders, { ...options, baseDir, validate: true, ruleSet } as never);
  return done.output as ICruiseResult;
}

const told = (found: readonly IViolation[]): string[] => found.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`);

describe('the map of rooms', () => {
  it('holds for every import', async () => {
    const result = await look(root, [...rooms.map((room) => `${room}/src`), 'test/kit/src']);
    expect(result.summary.totalCruised).toBeGreaterThan(150);
    expect(told(result.summary.violations)).toEqual([]);
  }, 120_000);

  it('refuses planted bad imports', async () => {
    const result = await look(new URL('planted/', import.meta.url).pathname, ['spiffe/src', 'core/src', 'server/src']);
    const found = told(result.summary.violations);
    expect(found).toContain('not-in-allowed: core/src/rule.ts -> server/src/server.ts');
    expect(found).toContain('not-in-allowed: spiffe/src/reads-files.ts -> fs');
  }, 120_000);
});
