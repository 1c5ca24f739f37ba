export { type CertificateAndKey, CertificateFiles, type CertificateFilesOptions } from './certificate-files.ts';
export { claimDataDir, type DirectoryLock } from './claim-data-dir.ts';
export { type Clock, systemClock } from './clock.ts';
export { parseDuration } from './config/duration.ts';
export { aboutSetting, ConfigError, type ConfigProblem, formatProblem } from './config-error.ts';
export { defaultDataDir, defaultSocket } from './default-paths.ts';
export { ensureDir, reasonOf, writeFileAtomic } from './files.ts';
export { LogFile } from './log-file.ts';
export type { LogFormat } from './log-format.ts';
export {
  createLogger,
  LOG_LEVELS,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  silentLogger,
} from './logger.ts';
export { checkSocketDirectory, removeStaleSocket, socketPathFault } from './socket-path.ts';
export { type TaskFunction, TaskGroup } from './task-group.ts';
