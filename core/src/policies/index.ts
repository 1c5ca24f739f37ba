export { AGENT_SCHEMA } from './agent-schema.ts';
export { BASE_POLICIES } from './base-policies.ts';
