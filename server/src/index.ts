// The server as a part: what to run it with, and how.

export type { FirstBundleSource } from './app/federation/first-bundle.ts';
export type { RandomBytes } from './app/randomness.ts';
export { type PluginChoice, parseServerConfig, type ServerConfig } from './config.ts';
export { serverConfigSchema } from './config-schema.ts';
export { fetchFirstBundle } from './fetch-first-bundle.ts';
export { checkPlugins } from './plugins.ts';
export { createServer, type Server, type ServerAddresses, type ServerRim } from './server.ts';
