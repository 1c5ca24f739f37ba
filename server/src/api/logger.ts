import type { Logger } from '@steeple/daemon';
import { logLevelHandlers } from '@steeple/daemon/listen';
import type { Handlers } from '@steeple/proto/grpc';
import { type loggerV1, types } from '@steeple/proto/server-api';
import { auditItem } from './audit.ts';

/** spire.api.server.logger.v1.Logger. The audit log holds the level that was asked for: a quieter log shows less of it. */
export const loggerHandlers = (logger: Logger): Handlers<typeof loggerV1.Logger> => {
  const levels = logLevelHandlers(logger);
  return {
    ...levels,
    async setLogLevel(request, ctx) {
      auditItem(ctx, { new_log_level: nameOf(request.newLevel) });
      return levels.setLogLevel(request);
    },
  };
};

const nameOf = (level: types.LogLevel): string | number => {
  const [name] = Object.entries(types.LogLevel).find(([, value]) => value === level) ?? [];
  return name?.toLowerCase() ?? level;
};
