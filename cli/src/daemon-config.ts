import { createLogger, type LogFormat, type Logger, type LogLevel } from '@steeple/daemon';
import { type ConfigDocument, readConfigFile } from '@steeple/daemon/config';
import { isOn, requiredText, text } from './flags.ts';
import type { Options } from './verb.ts';

/** The document that --config names. @throws ConfigError with file, line and column */
export function configDocument(options: Options): Promise<ConfigDocument> {
  return readConfigFile(requiredText(options, 'config', '--config'), { expandEnv: isOn(options, 'expandEnv') });
}

/** A logger as configured; --log-level wins. */
export function daemonLogger(
  options: Options,
  config: { readonly logLevel: LogLevel; readonly logFormat: LogFormat },
): Logger {
  const level = text(options, 'logLevel') as LogLevel | undefined;
  return createLogger({ format: config.logFormat, level: level ?? config.logLevel });
}
