import { ConfigError } from '@steeple/daemon';
import { checkValue } from '@steeple/daemon/config';
import { loadPlugin, type PluginKind, type PluginKinds } from '@steeple/plugins';
import type { PluginChoice } from './config.ts';

/** How the kinds are called in the configuration file. */
export const FILE_KIND: Partial<Record<PluginKind, string>> = {
  datastore: 'DataStore',
  'key-manager': 'KeyManager',
  'node-verifier': 'NodeAttestor',
};

/**
 * Loads a plugin and makes it from its configured data.
 *
 * @throws {ConfigError} whose paths name the plugin's place in the file
 */
export const createPlugin = async <K extends PluginKind>(
  kind: K,
  { name, data }: PluginChoice,
  host: PluginKinds[K]['host'],
): Promise<PluginKinds[K]['instance']> => {
  const block = `plugins.${FILE_KIND[kind] ?? kind}`;
  const definition = await loadPlugin(kind, name).catch((error: unknown) => {
    throw error instanceof ConfigError ? new ConfigError(error.problems.map((p) => ({ ...p, path: block }))) : error;
  });
  try {
    return await definition.create(checkValue(definition.schema, data), host);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    const inside = (path: string): string =>
      [`${block}.${name}.plugin_data`, path].filter((part) => part !== '').join('.');
    throw new ConfigError(
      cause.problems.map((one) => ({ ...one, path: inside(one.path) })),
      { cause },
    );
  }
};
