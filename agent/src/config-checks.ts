import { dirname, resolve, sep } from 'node:path';
import { ConfigError, type ConfigProblem } from '@steeple/daemon';
import type { ConfigDocument } from '@steeple/daemon/config';
import type { AgentFile } from './config-schema.ts';

/** What no single setting is at fault for. @throws {ConfigError} with every problem */
export function checkAgentSettings({ agent, plugins }: AgentFile, document: ConfigDocument): void {
  const problems: ConfigProblem[] = [];
  const refuse = (key: keyof AgentFile['agent'], message: string): void => {
    const path = ['agent', key];
    const file = document.file === undefined ? {} : { file: document.file };
    problems.push({ path: path.join('.'), message, ...file, ...document.positionOf(path) });
  };

  for (const delegate of agent.authorized_delegates) {
    if (delegate.memberOf(agent.trust_domain)) continue;
    refuse('authorized_delegates', `${delegate.toString()} is not in the trust domain ${agent.trust_domain.name}`);
  }
  if (agent.rebootstrap_mode !== 'never' && agent.insecure_bootstrap) {
    refuse('rebootstrap_mode', 'cannot be used with insecure_bootstrap: anybody could become the server');
  }
  const hasToken = agent.join_token !== undefined || agent.join_token_file !== undefined;
  const attestors = hasToken ? ['join_token'] : Object.keys(plugins.NodeAttestor ?? { join_token: [] });
  if (agent.rebootstrap_mode === 'always' && attestors.includes('join_token')) {
    refuse('rebootstrap_mode', 'needs a node attestor by which this node can attest again; a join token is used once');
  }
  const isServed = !agent.disable_workload_api || !agent.disable_sds_api;
  if (isServed && agent.admin_socket_path !== undefined && agent.socket_path !== undefined) {
    // Whoever may mount the folder of the one socket must not get the other with it.
    const folder = dirname(resolve(agent.socket_path)) + sep;
    if (resolve(agent.admin_socket_path).startsWith(folder)) {
      refuse('admin_socket_path', 'must not be in the folder of socket_path or below it, which workloads may see');
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
}
