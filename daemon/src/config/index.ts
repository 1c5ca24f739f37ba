export { asList, labelledBlocks, oneOrMany, singleBlock } from './blocks.ts';
export { checkConfig, checkValue, problemAt } from './check-config.ts';
export { checkSocketPath } from './check-socket-path.ts';
export { formatDuration, parseDuration } from './duration.ts';
export { duration } from './durations.ts';
export type { Environment } from './expand-env.ts';
export { readPluginData } from './plugin-data-file.ts';
export {
  type ConfigDocument,
  type ConfigForm,
  configOf,
  parseConfig,
  type ReadConfigOptions,
  readConfigFile,
} from './read-config-file.ts';
export { fingerprint, flag, integer, logFormat, logLevel, parsed } from './scalars.ts';
export type { Position } from './source-text.ts';
export { suggest } from './suggest.ts';
