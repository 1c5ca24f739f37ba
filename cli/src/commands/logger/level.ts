// The level of a running process's log; server and agent have the same messages in services of their own.
import { loggerV1 as agentLogger } from '@steeple/proto/agent-api';
import { loggerV1 as serverLogger, types } from '@steeple/proto/server-api';
import { onAgentAdmin } from '../../agent-admin.ts';
import { UserError } from '../../exit.ts';
import { print } from '../../output/print.ts';
import { details } from '../../output/table.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options, Run } from '../../verb.ts';

interface LoggerClient {
  getLogger(request: object): Promise<types.Logger>;
  setLogLevel(request: { newLevel: types.LogLevel }): Promise<types.Logger>;
  resetLogLevel(request: object): Promise<types.Logger>;
}

type Ask = (
  options: Options,
  context: CliContext,
  use: (client: LoggerClient) => Promise<types.Logger>,
) => Promise<types.Logger>;

const ofServer: Ask = (options, context, use) => onServer(serverLogger.Logger, options, context, use);
const ofAgent: Ask = (options, context, use) => onAgentAdmin(agentLogger.Logger, options, context, use);

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'panic'] as const;

const wireLevel = (name: string): types.LogLevel => {
  const level = LEVELS.find((one) => one === name.toLowerCase());
  if (level === undefined) throw new UserError(`'${name}' is not a log level`, `use one of ${LEVELS.join(', ')}`);
  return types.LogLevel[level.toUpperCase() as Uppercase<typeof level>];
};

const nameOf = (level: types.LogLevel): string =>
  LEVELS.find((name) => types.LogLevel[name.toUpperCase() as Uppercase<typeof name>] === level) ?? String(level);

const tell = (options: Options, context: CliContext, logger: types.Logger): Promise<void> =>
  print(context, options, types.LoggerSchema, logger, () =>
    details([
      ['level', nameOf(logger.currentLevel)],
      ['at start', nameOf(logger.launchLevel)],
    ]),
  );

const verbs = (ask: Ask): Readonly<Record<'get' | 'set' | 'reset', Run>> => ({
  get: async (options, context) =>
    tell(options, context, await ask(options, context, (client) => client.getLogger({}))),
  set: async (options, context, [level = '']) => {
    const newLevel = wireLevel(level);
    await tell(options, context, await ask(options, context, (client) => client.setLogLevel({ newLevel })));
  },
  reset: async (options, context) =>
    tell(options, context, await ask(options, context, (client) => client.resetLogLevel({}))),
});

export const server = verbs(ofServer);
export const agent = verbs(ofAgent);
