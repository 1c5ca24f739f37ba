import { ConfigError, type ConfigProblem } from '@steeple/daemon';
import { checkValue } from '@steeple/daemon/config';
import { loadPlugin, type PluginDefinition, type PluginKind, type PluginKinds } from '@steeple/plugins';
import type { PluginChoice, ServerConfig } from './config.ts';

/** How the kinds are called in the configuration file. */
const FILE_KIND: Partial<Record<PluginKind, string>> = {
  datastore: 'DataStore',
  'key-manager': 'KeyManager',
  'node-verifier': 'NodeAttestor',
  'upstream-authority': 'UpstreamAuthority',
  'bundle-publisher': 'BundlePublisher',
  notifier: 'Notifier',
};

/**
 * Loads a plugin and makes it from its configured data.
 *
 * @throws {ConfigError} whose paths name the plugin's place in the file
 */
export const createPlugin = <K extends PluginKind>(
  kind: K,
  choice: PluginChoice,
  host: PluginKinds[K]['host'],
): Promise<PluginKinds[K]['instance']> =>
  inPlace(kind, choice, async () => {
    const definition = await find(kind, choice.name);
    return definition.create(checkValue(definition.schema, choice.data), host);
  });

/**
 * Judges the data of every configured plugin without making one.
 *
 * @throws {ConfigError} with all problems
 */
export const checkPlugins = async ({ plugins }: Pick<ServerConfig, 'plugins'>): Promise<void> => {
  const chosen: (readonly [PluginKind, PluginChoice])[] = [
    ['datastore', plugins.datastore],
    ['key-manager', plugins.keyManager],
    ...(plugins.upstreamAuthority ? [['upstream-authority', plugins.upstreamAuthority] as const] : []),
    ...plugins.nodeVerifiers.map((choice): [PluginKind, PluginChoice] => ['node-verifier', choice]),
    ...plugins.bundlePublishers.map((choice): [PluginKind, PluginChoice] => ['bundle-publisher', choice]),
    ...plugins.notifiers.map((choice): [PluginKind, PluginChoice] => ['notifier', choice]),
  ];
  const problems: ConfigProblem[] = [];
  for (const [kind, choice] of chosen) {
    try {
      await inPlace(kind, choice, async () => checkValue((await find(kind, choice.name)).schema, choice.data));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
};

const find = <K extends PluginKind>(kind: K, name: string): Promise<PluginDefinition<K>> =>
  loadPlugin(kind, name).catch((cause: unknown) => {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new UnknownPlugin(cause);
  });

/** Told apart because it is about the block's name, not about what is in it. */
class UnknownPlugin extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(cause: ConfigError) {
    super(cause.message, { cause });
    this.problems = cause.problems;
  }
}

const inPlace = async <T>(kind: PluginKind, { name }: PluginChoice, work: () => Promise<T>): Promise<T> => {
  const block = `plugins.${FILE_KIND[kind] ?? kind}`;
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof UnknownPlugin)
      throw new ConfigError(
        cause.problems.map((one) => ({ ...one, path: block })),
        { cause },
      );
    if (!(cause instanceof ConfigError)) throw cause;
    const inside = (path: string): string =>
      [`${block}.${name}.plugin_data`, path].filter((part) => part !== '').join('.');
    throw new ConfigError(
      cause.problems.map((one) => ({ ...one, path: inside(one.path) })),
      { cause },
    );
  }
};
