// `logger get`, `set` and `reset` of either program: the messages are the same, the services are not.
import { types } from '@steeple/proto/server-api';
import type { Call } from './call.ts';
import type { CallCommand } from './command.ts';
import { CommandError, explain } from './command-error.ts';
import { stringFlag } from './go/flag-kind.ts';
import { quote } from './go/quote.ts';
import { outputFlag } from './output-flag.ts';

export interface LoggerClient {
  getLogger(request: object): Promise<types.Logger>;
  setLogLevel(request: { newLevel: types.LogLevel }): Promise<types.Logger>;
  resetLogLevel(request: object): Promise<types.Logger>;
}

const { LogLevel } = types;
const LEVELS: ReadonlyMap<string, types.LogLevel> = new Map([
  ['panic', LogLevel.PANIC],
  ['fatal', LogLevel.FATAL],
  ['error', LogLevel.ERROR],
  ['warn', LogLevel.WARN],
  ['warning', LogLevel.WARN],
  ['info', LogLevel.INFO],
  ['debug', LogLevel.DEBUG],
  ['trace', LogLevel.TRACE],
]);

/** The commands of a program whose logger `client` reaches. */
export function loggerCommands(on: CallCommand['on'], client: (call: Call) => LoggerClient): readonly CallCommand[] {
  const tell = (call: Call, logger: types.Logger): Promise<void> =>
    call.answer(types.LoggerSchema, logger, () => {
      call.line(`Logger Level : ${nameOf(logger.currentLevel)}`);
      call.line(`Launch Level : ${nameOf(logger.launchLevel)}\n`);
    });
  return [
    {
      path: 'logger get',
      synopsis: 'Gets the logger details',
      on,
      flags: [outputFlag],
      run: async (call) => tell(call, await explain('error fetching logger', client(call).getLogger({}))),
    },
    {
      path: 'logger set',
      synopsis: 'Sets the logger details',
      on,
      flags: [
        {
          name: 'level',
          kind: stringFlag,
          usage: 'The new log level, one of (panic, fatal, error, warn, info, debug, trace)',
        },
        outputFlag,
      ],
      run: async (call) => {
        const newLevel = levelOf(call.flags.text('level'));
        await tell(call, await explain('failed to set log level', client(call).setLogLevel({ newLevel })));
      },
    },
    {
      path: 'logger reset',
      synopsis: 'Reset the logger details to launch level',
      on,
      flags: [outputFlag],
      run: async (call) => tell(call, await explain('failed to reset logger', client(call).resetLogLevel({}))),
    },
  ];
}

const levelOf = (text: string): types.LogLevel => {
  if (text === '') throw new CommandError('a value (-level) must be set');
  const level = LEVELS.get(text.toLowerCase());
  if (level === undefined) throw new CommandError(`the value ${quote(text)} is not a valid setting`);
  return level;
};

const nameOf = (level: types.LogLevel): string => {
  if (level === LogLevel.WARN) return 'warning';
  const name = [...LEVELS].find(([, value]) => value === level)?.[0];
  if (name === undefined) {
    throw new CommandError('internal error: returned current log level is undefined; please report this as a bug');
  }
  return name;
};
