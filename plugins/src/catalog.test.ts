import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPlugin, pluginNames } from './catalog.ts';
import type { PluginKind } from './plugin.ts';

const KINDS: readonly PluginKind[] = [
  'key-manager',
  'datastore',
  'decision-engine',
  'node-verifier',
  'node-prover',
  'bundle-publisher',
  'notifier',
  'svid-store',
  'upstream-authority',
  'workload-attestor',
];
const pages = join(import.meta.dirname, '../../docs/plugins');
const every = KINDS.flatMap((kind) => pluginNames(kind).map((name) => [kind, name] as const));

describe('catalog', () => {
  it.each(every)('%s "%s" is what it says, and has a page', async (kind, name) => {
    const plugin = await loadPlugin(kind, name);
    expect(plugin).toMatchObject({ kind, name });
    expect(plugin.schema.safeParse({ 'no-such-key': 1 }).success).toBe(false);
    // Both halves of a node attestor share a page.
    const page = readFileSync(join(pages, `${kind.replace(/^node-.*/, 'node-attestor')}-${name}.md`), 'utf8');
    expect(page).toContain(`\`${name}\``);
  });

  it('has no page without a plugin', () => {
    const expected = new Set(every.map(([kind, name]) => `${kind.replace(/^node-.*/, 'node-attestor')}-${name}.md`));
    const known = KINDS.map((kind) => kind.replace(/^node-.*/, 'node-attestor'));
    const ours = readdirSync(pages).filter((page) => known.some((kind) => page.startsWith(kind)));
    expect(ours.toSorted()).toEqual([...expected].toSorted());
  });

  it.each(['nope', 'constructor', '__proto__', ''])('knows no plugin %j and lists those it has', async (name) => {
    await expect(loadPlugin('key-manager', name)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('there are "disk", "memory"'),
    });
  });
});
