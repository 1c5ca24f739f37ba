import { Call } from './call.ts';
import type { CompatCommand, CompatProgram } from './command.ts';
import { errorText } from './command-error.ts';
import { FlagError, type FlagSpec, parseFlags, usageOf } from './go/flag-set.ts';
import { commandHelp, commandsBelow, listHelp, nounHelp } from './help.ts';
import type { CompatIo } from './io.ts';
import { callTimeoutFlag, socketFlags, socketOf } from './sockets.ts';
import { version } from './version.ts';

/** Runs the words of a command line as the program of that name would; returns the exit code. */
export async function runCompat(program: CompatProgram, words: readonly string[], io: CompatIo): Promise<number> {
  const asked = readWords(program, words);
  if (asked.version) return told(io, `${version}\n`, 0);
  if (asked.path === '') return told(io, listHelp(program, ''), asked.help ? 0 : 127);
  const command = program.commands.find(({ path }) => path === asked.path);
  if (command === undefined) return withoutCommand(program, asked, io);
  const flags = flagsOf(command);
  if (asked.help) return told(io, commandHelp(program, command, flagsOf), 0);
  if (asked.early) return told(io, `${EARLY}${commandHelp(program, command, flagsOf)}`, 1);
  return runCommand(command, flags, asked.rest, io);
}

const EARLY =
  'Invalid flags before the subcommand. If these flags are for\nthe subcommand, please put them after the subcommand.\n\n';

interface Asked {
  readonly path: string;
  readonly rest: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
  /** A flag stood before the command. */
  readonly early: boolean;
}

/** Finds the command in the words: the longest run of them, up to the first flag, that names one. */
function readWords(program: CompatProgram, words: readonly string[]): Asked {
  const end = words.indexOf('--');
  const before = end === -1 ? words : words.slice(0, end);
  const help = before.some((word) => /^(-h|--?help)$/.test(word));
  const start = before.findIndex((word) => word !== '' && !word.startsWith('-'));
  const front = start === -1 ? before : before.slice(0, start);
  const asked = {
    help,
    version: front.some((word) => /^(-v|--?version)$/.test(word)),
    early: front.some((word) => word.startsWith('-') && !/^(-h|--?help|-v|--?version)$/.test(word)),
  };
  if (start === -1) return { ...asked, path: '', rest: [] };
  const stop = words.findIndex(
    (word, index) => index >= start && (word === '' || word.includes(' ') || word.startsWith('-')),
  );
  const candidates = words.slice(start, stop === -1 ? undefined : stop);
  for (let length = candidates.length; length > 0; length--) {
    const path = candidates.slice(0, length).join(' ');
    if (isKnown(program, path)) return { ...asked, path, rest: words.slice(start + length) };
  }
  return { ...asked, path: words[start] ?? '', rest: words.slice(start + 1) };
}

const isKnown = (program: CompatProgram, path: string): boolean =>
  program.commands.some((command) => command.path === path || command.path.startsWith(`${path} `));

const withoutCommand = (program: CompatProgram, { path, help }: Asked, io: CompatIo): number => {
  if (commandsBelow(program, path).size === 0)
    return told(io, listHelp(program, path.split(' ').slice(0, -1).join(' ')), 127);
  return told(io, nounHelp(program, path, flagsOf), help ? 0 : 1);
};

const told = (io: CompatIo, text: string, code: number): number => {
  io.err(text);
  return code;
};

/** The command's own flags with those of its kind. */
function flagsOf(command: CompatCommand): readonly FlagSpec[] {
  switch (command.on) {
    case 'nothing':
      return command.flags;
    case 'workload':
      if (command.withoutTimeout === true) return [...(command.sockets ?? socketFlags.workload), ...command.flags];
      return [callTimeoutFlag, ...socketFlags.workload, ...command.flags];
    case 'server':
    case 'agent-admin':
      return [...socketFlags[command.on], ...command.flags];
  }
}

async function runCommand(
  command: CompatCommand,
  specs: readonly FlagSpec[],
  words: readonly string[],
  io: CompatIo,
): Promise<number> {
  try {
    const flags = parseFlags(specs, words);
    if (command.on === 'nothing') return await command.run(flags, io);
    using call = new Call(flags, io, socketOf(command.on, flags, io));
    await command.run(call);
    return 0;
  } catch (error) {
    return failed(command, specs, error, io);
  }
}

const failed = (command: CompatCommand, specs: readonly FlagSpec[], error: unknown, io: CompatIo): number => {
  if (error instanceof FlagError) {
    const usage = usageOf(command.title ?? command.path, specs);
    const repeats = command.repeatsFlagErrors ?? command.on === 'workload';
    const again = repeats ? `${command.flagErrorPrefix ?? ''}${error.message}\n` : '';
    return told(io, `${error.message}\n${usage}${again}`, 1);
  }
  const prefix = command.errorPrefix ?? (command.on === 'workload' ? '' : 'Error: ');
  return told(io, `${prefix}${errorText(error)}\n`, 1);
};
