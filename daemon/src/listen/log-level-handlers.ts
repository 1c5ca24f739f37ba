import { Code, GrpcError } from '@steeple/proto/grpc';
import { types } from '@steeple/proto/server-api';
import type { Logger, LogLevel } from '../logger.ts';

const { LogLevel: Wire } = types;

const LEVELS: ReadonlyMap<types.LogLevel, LogLevel> = new Map([
  [Wire.PANIC, 'panic'],
  [Wire.FATAL, 'fatal'],
  [Wire.ERROR, 'error'],
  [Wire.WARN, 'warn'],
  [Wire.INFO, 'info'],
  [Wire.DEBUG, 'debug'],
  [Wire.TRACE, 'trace'],
]);

interface Levels {
  readonly currentLevel: types.LogLevel;
  readonly launchLevel: types.LogLevel;
}

/** The handlers of SPIRE's Logger services, the server's and the agent's: how talkative the running process is. */
export function logLevelHandlers(logger: Logger): {
  getLogger(): Promise<Levels>;
  setLogLevel(request: { readonly newLevel: types.LogLevel }): Promise<Levels>;
  resetLogLevel(): Promise<Levels>;
} {
  const launchLevel = logger.level;
  const answer = (): Levels => ({ currentLevel: wireLevel(logger.level), launchLevel: wireLevel(launchLevel) });
  return {
    getLogger: async () => answer(),

    async setLogLevel({ newLevel }) {
      if (newLevel === Wire.UNSPECIFIED) {
        throw GrpcError.of(Code.INVALID_ARGUMENT, 'newLevel value cannot be LogLevel_UNSPECIFIED');
      }
      const level = LEVELS.get(newLevel);
      if (level === undefined) throw GrpcError.of(Code.INVALID_ARGUMENT, 'unsupported log level');
      logger.level = level;
      logger.info('The log level was set', { new_level: level });
      return answer();
    },

    async resetLogLevel() {
      logger.level = launchLevel;
      logger.info('The log level was reset', { launch_level: launchLevel });
      return answer();
    },
  };
}

function wireLevel(level: LogLevel): types.LogLevel {
  for (const [wire, name] of LEVELS) if (name === level) return wire;
  return Wire.UNSPECIFIED;
}
