import { type Clock, ConfigError, type Logger } from '@steeple/daemon';
import { checkConfig } from '@steeple/daemon/config';
import {
  type KeyManager,
  loadPlugin,
  type NodeProver,
  type PluginHost,
  type PluginKind,
  type PluginKinds,
  type SvidStore,
  type WorkloadAttestor,
} from '@steeple/plugins';
import type { AgentConfig, PluginChoice } from './config.ts';

export interface AgentPlugins {
  readonly keyManager: KeyManager;
  readonly prover: NodeProver;
  readonly attestors: readonly WorkloadAttestor[];
  readonly stores: ReadonlyMap<string, SvidStore>;
}

/** The kinds in the file and in the catalog. */
const FILE_NAMES: Partial<Record<PluginKind, string>> = {
  'key-manager': 'KeyManager',
  'node-prover': 'NodeAttestor',
  'svid-store': 'SVIDStore',
  'workload-attestor': 'WorkloadAttestor',
};

/** Makes the agent's plugins. @throws {ConfigError} for an unknown plugin or wrong settings */
export async function loadPlugins(
  config: AgentConfig,
  rim: { readonly clock: Clock; readonly logger: Logger },
): Promise<AgentPlugins> {
  const host = (name: string): PluginHost => ({
    clock: rim.clock,
    logger: rim.logger.child({ plugin: name }),
    trustDomain: config.trustDomain,
  });
  const make = <K extends 'key-manager' | 'node-prover' | 'svid-store' | 'workload-attestor'>(
    kind: K,
    choice: PluginChoice,
  ) => create(kind, choice, host(choice.name));
  if (config.idleNodeAttestor !== undefined) {
    await settings('node-prover', config.idleNodeAttestor);
    rim.logger.warn('A join token is configured: this node attests with it', { unused: config.idleNodeAttestor.name });
  }
  return {
    attestors: await Promise.all(config.workloadAttestors.map((choice) => make('workload-attestor', choice))),
    stores: new Map(
      await Promise.all(
        config.svidStores.map(async (choice) => [choice.name, await make('svid-store', choice)] as const),
      ),
    ),
    prover: await make('node-prover', config.nodeAttestor),
    keyManager: await make('key-manager', config.keyManager),
  };
}

/** Judges the settings of every plugin without making any. @throws {ConfigError} */
export async function checkPlugins(config: AgentConfig): Promise<void> {
  await settings('key-manager', config.keyManager);
  await settings('node-prover', config.nodeAttestor);
  if (config.idleNodeAttestor !== undefined) await settings('node-prover', config.idleNodeAttestor);
  for (const choice of config.workloadAttestors) await settings('workload-attestor', choice);
  for (const choice of config.svidStores) await settings('svid-store', choice);
}

async function create<K extends PluginKind>(
  kind: K,
  choice: PluginChoice,
  host: PluginKinds[K]['host'],
): Promise<PluginKinds[K]['instance']> {
  const { definition, checked } = await settings(kind, choice);
  return definition.create(checked, host);
}

async function settings<K extends PluginKind>(kind: K, { name, document }: PluginChoice) {
  const definition = await loadPlugin(kind, name);
  try {
    return { definition, checked: checkConfig(definition.schema, document) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const above = `plugins.${FILE_NAMES[kind] ?? kind}.${name}.plugin_data`;
    const problems = error.problems.map((problem) => ({
      ...problem,
      path: problem.path === '' ? above : `${above}.${problem.path}`,
    }));
    throw new ConfigError(problems, { cause: error });
  }
}
