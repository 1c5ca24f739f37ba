// The agent as a part: what to run it with, and how.

export { type Agent, type AgentRim, createAgent } from './agent.ts';
export { AgentStopped, type StopReason } from './app/agent-stopped.ts';
export type { TrustSource } from './app/trust-source.ts';
export {
  type AgentConfig,
  agentConfigOf,
  type PluginChoice,
  parseAgentConfig,
} from './config.ts';
export { agentFileSchema } from './config-schema.ts';
export { checkPlugins } from './load-plugins.ts';
