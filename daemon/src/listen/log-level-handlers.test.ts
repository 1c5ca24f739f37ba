import { Code } from '@steeple/proto/grpc';
import { types } from '@steeple/proto/server-api';
import { expect, it } from 'vitest';
import { createLogger, LOG_LEVELS } from '../logger.ts';
import { logLevelHandlers } from './log-level-handlers.ts';

const { LogLevel } = types;

it('changes the level of the running logger, tells it, and goes back', async () => {
  const logger = createLogger({ level: 'warn', write: () => {} });
  const handlers = logLevelHandlers(logger);
  for (const level of LOG_LEVELS) {
    const newLevel = LogLevel[level.toUpperCase() as keyof typeof LogLevel];
    expect(await handlers.setLogLevel({ newLevel })).toEqual({ currentLevel: newLevel, launchLevel: LogLevel.WARN });
    expect(logger.level).toBe(level);
  }
  expect(await handlers.resetLogLevel()).toEqual(await handlers.getLogger());
  expect(logger.level).toBe('warn');
});

it.each([LogLevel.UNSPECIFIED, 99 as types.LogLevel])('refuses %i and changes nothing', async (newLevel) => {
  const logger = createLogger({ level: 'warn', write: () => {} });
  await expect(logLevelHandlers(logger).setLogLevel({ newLevel })).rejects.toMatchObject({
    code: Code.INVALID_ARGUMENT,
  });
  expect(logger.level).toBe('warn');
});
