import { createLogger, LogFile, type LogFormat, type Logger, type LogLevel } from '@steeple/daemon';
import { type ConfigDocument, readConfigFile } from '@steeple/daemon/config';
import { isOn, requiredText, text } from './flags.ts';
import type { Options } from './verb.ts';

/** The document that --config names. @throws ConfigError with file, line and column */
export function configDocument(options: Options): Promise<ConfigDocument> {
  return readConfigFile(requiredText(options, 'config', '--config'), { expandEnv: isOn(options, 'expandEnv') });
}

export interface LogSettings {
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly logFile: string | undefined;
}

/** A logger as configured; --log-level wins. A file is opened anew on SIGUSR2. @throws ConfigError when it cannot be */
export function daemonLogger(options: Options, config: LogSettings): Logger {
  const logger = configuredLogger(options, config);
  // SPIRE configures plugins anew on this signal: whoever relies on that has to hear that it did not happen.
  process.on('SIGUSR1', () =>
    logger.warn('Files of plugin_data_file are read at the start only: restart to apply them'),
  );
  return logger;
}

function configuredLogger(options: Options, config: LogSettings): Logger {
  const level = (text(options, 'logLevel') as LogLevel | undefined) ?? config.logLevel;
  if (config.logFile === undefined) return createLogger({ format: config.logFormat, level });
  const file = LogFile.open(config.logFile, 'log_file');
  const logger = createLogger({ format: config.logFormat, level, write: file.write });
  process.on('SIGUSR2', () => {
    const problem = file.reopen();
    if (problem === undefined) logger.info('Log file opened anew');
    else logger.error('The log file could not be opened anew', { reason: problem });
  });
  return logger;
}
