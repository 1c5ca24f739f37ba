import { IssuerError } from '@steeple/core';
import type { Logger, LogLevel } from '@steeple/daemon';
import type { Handlers } from '@steeple/proto/grpc';
import { type loggerV1, types } from '@steeple/proto/server-api';

const { LogLevel: Wire } = types;

const levels: readonly (readonly [types.LogLevel, LogLevel])[] = [
  [Wire.PANIC, 'panic'],
  [Wire.FATAL, 'fatal'],
  [Wire.ERROR, 'error'],
  [Wire.WARN, 'warn'],
  [Wire.INFO, 'info'],
  [Wire.DEBUG, 'debug'],
  [Wire.TRACE, 'trace'],
];

/** spire.api.server.logger.v1.Logger: the level of the running process. */
export const loggerHandlers = (use: { logger: Logger }): Handlers<typeof loggerV1.Logger> => {
  const launchLevel = use.logger.level;
  const answer = () => ({ currentLevel: wireLevel(use.logger.level), launchLevel: wireLevel(launchLevel) });
  return {
    async getLogger() {
      return answer();
    },

    async setLogLevel({ newLevel }) {
      if (newLevel === Wire.UNSPECIFIED) {
        throw new IssuerError('invalid-argument', 'Invalid request, NewLevel value cannot be LogLevel_UNSPECIFIED');
      }
      const level = levels.find(([wire]) => wire === newLevel)?.[1];
      if (level === undefined) throw new IssuerError('invalid-argument', `unsupported log level: ${newLevel}`);
      use.logger.level = level;
      return answer();
    },

    async resetLogLevel() {
      use.logger.level = launchLevel;
      return answer();
    },
  };
};

const wireLevel = (level: LogLevel): types.LogLevel =>
  levels.find(([, name]) => name === level)?.[0] ?? Wire.UNSPECIFIED;
