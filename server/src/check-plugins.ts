import { ConfigError, type ConfigProblem } from '@steeple/daemon';
import { checkValue } from '@steeple/daemon/config';
import { loadPlugin, type PluginKind } from '@steeple/plugins';
import type { PluginChoice, ServerConfig } from './config.ts';
import { FILE_KIND } from './plugins.ts';

/** Judges the settings of every configured plugin without making any. @throws {ConfigError} with every problem */
export const checkPlugins = async ({ plugins }: ServerConfig): Promise<void> => {
  const problems = [
    ...(await problemsOf('datastore', plugins.datastore)),
    ...(await problemsOf('key-manager', plugins.keyManager)),
    ...(await Promise.all(plugins.nodeVerifiers.map((choice) => problemsOf('node-verifier', choice)))).flat(),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
};

const problemsOf = async (kind: PluginKind, { name, data }: PluginChoice): Promise<ConfigProblem[]> => {
  try {
    const { schema } = await loadPlugin(kind, name);
    checkValue(schema, data);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const block = `plugins.${FILE_KIND[kind] ?? kind}.${name}.plugin_data`;
    return error.problems.map((one) => ({ ...one, path: [block, one.path].filter((part) => part !== '').join('.') }));
  }
};
