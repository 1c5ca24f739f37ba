import { userInfo } from 'node:os';
import { ConfigError } from '@steeple/daemon';
import { GrpcError, statusName } from '@steeple/proto/grpc';
import { CommanderError } from 'commander';
import { Failed, UserError } from './exit.ts';
import { createProgram } from './program.ts';
import type { CliContext } from './verb.ts';

/** Runs the command line and returns the exit code: 0 for success, 1 for a failure. */
export async function main(argv: readonly string[], context: CliContext = processContext()): Promise<number> {
  const program = createProgram(context);
  for (const command of allCommands(program)) command.exitOverride();
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    if (error instanceof Failed) return error.exitCode;
    context.err(explain(error));
    return 1;
  }
}

function allCommands(command: ReturnType<typeof createProgram>): ReturnType<typeof createProgram>[] {
  return [command, ...command.commands.flatMap((inner) => allCommands(inner as typeof command))];
}

/** What the user is told about an error; never a stack. */
function explain(error: unknown): string {
  if (error instanceof UserError) return [`error: ${error.message}`, error.advice].filter(Boolean).join('\n  ');
  if (error instanceof ConfigError) return explainConfig(error);
  if (error instanceof GrpcError) return `error: ${error.message} (${statusName(error.code)})`;
  return `error: ${error instanceof Error ? error.message : String(error)}`;
}

function explainConfig(error: ConfigError): string {
  const lines = error.problems.map(({ path, message, file, line, column }) => {
    const at = [file, line, column].filter((part) => part !== undefined).join(':');
    return `  ${at === '' ? '' : `${at}: `}${path === '' ? '' : `${path}: `}${message}`;
  });
  return lines.length === 0
    ? `error: ${error.message}`
    : ['error: the configuration is not valid', ...lines].join('\n');
}

function processContext(): CliContext {
  let interrupted: AbortController | undefined;
  const { uid, username } = userInfo();
  return {
    env: process.env,
    // Until a command asks for it, a signal ends the process as usual: reading a file may block for good.
    get signal() {
      interrupted ??= interruption();
      return interrupted.signal;
    },
    colour: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
    uid,
    userName: username,
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    now: () => Date.now() / 1000,
  };
}

function interruption(): AbortController {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interrupted.abort(signal));
  return interrupted;
}
