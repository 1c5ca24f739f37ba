import { readFileSync } from 'node:fs';

/** As in package.json; what the server shows for this agent. */
export const AGENT_VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
