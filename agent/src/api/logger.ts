import type { Logger, LogLevel } from '@steeple/daemon';
import { type loggerV1, types } from '@steeple/proto/agent-api';
import { Code, GrpcError, type Handlers } from '@steeple/proto/grpc';

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

/** spire.api.agent.logger.v1.Logger: how talkative the running agent is. */
export function loggerHandlers(logger: Logger): Handlers<typeof loggerV1.Logger> {
  const launchLevel = logger.level;
  const answer = () => ({ currentLevel: wireLevel(logger.level), launchLevel: wireLevel(launchLevel) });
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
