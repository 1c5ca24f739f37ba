// The server as a part: what to run it with, and how.

export type { RandomBytes } from './app/randomness.ts';
export { type PluginChoice, parseServerConfig, type ServerConfig } from './config.ts';
export { serverConfigSchema } from './config-schema.ts';
export { checkPlugins } from './plugins.ts';
export { createServer, type Server, type ServerAddresses, type ServerRim } from './server.ts';
