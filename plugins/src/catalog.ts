import { ConfigError } from '@steeple/daemon';
import type { PluginDefinition, PluginKind } from './plugin.ts';

type Loader<K extends PluginKind> = () => Promise<PluginDefinition<K>>;
type Loaders = { readonly [K in PluginKind]: Readonly<Record<string, Loader<K>>> };

/** Every plugin there is. Implementations load on demand, so that an agent never loads a database. */
const CATALOG: Loaders = {
  'key-manager': {},
  datastore: {},
  'node-verifier': {},
  'node-prover': {},
  'workload-attestor': {},
};

/** The names that exist for a kind, sorted. */
export function pluginNames(kind: PluginKind): readonly string[] {
  return Object.keys(CATALOG[kind]).sort();
}

/**
 * Loads a plugin by kind and name.
 *
 * @throws {ConfigError} for an unknown name, listing those that exist.
 */
export async function loadPlugin<K extends PluginKind>(kind: K, name: string): Promise<PluginDefinition<K>> {
  const loader = Object.hasOwn(CATALOG[kind], name) ? CATALOG[kind][name] : undefined;
  if (loader === undefined) {
    const known = pluginNames(kind).map((n) => `"${n}"`);
    throw new ConfigError([
      { path: `plugins.${kind}`, message: `unknown plugin "${name}"; there are ${known.join(', ')}` },
    ]);
  }
  return await loader();
}
