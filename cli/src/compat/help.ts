import type { CompatCommand, CompatProgram } from './command.ts';
import { type FlagSpec, usageOf } from './go/flag-set.ts';

/** The commands that stand directly below `parent`, `''` for the program itself; with what leads to others. */
export function commandsBelow(program: CompatProgram, parent: string): Map<string, CompatCommand | undefined> {
  const depth = parent === '' ? 1 : parent.split(' ').length + 1;
  const below = new Map<string, CompatCommand | undefined>();
  for (const command of program.commands) {
    const words = command.path.split(' ');
    if (words.length < depth || words.slice(0, depth - 1).join(' ') !== parent) continue;
    const path = words.slice(0, depth).join(' ');
    below.set(path, words.length === depth ? command : below.get(path));
  }
  return new Map([...below].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** All commands below `parent` with their synopses. */
export function listHelp(program: CompatProgram, parent: string): string {
  const below = commandsBelow(program, parent);
  const width = Math.max(0, ...[...below.keys()].map((path) => path.length));
  const lines = [...below].map(([path, command]) => `    ${path.padEnd(width)}    ${command?.synopsis ?? ''}`);
  return [
    `Usage: ${program.name} [--version] [--help] <command> [<args>]`,
    '',
    'Available commands are:',
    ...lines,
    '',
    '',
  ].join('\n');
}

type FlagsOf = (command: CompatCommand) => readonly FlagSpec[];

/** What is said of words that only lead to commands. */
export function nounHelp(program: CompatProgram, path: string, flagsOf: FlagsOf): string {
  const sentence = 'This command is accessed by using one of the subcommands below.';
  return `${usagesBelow(program, path, flagsOf)}${sentence}${subcommands(program, path)}\n`;
}

/** The programs print the usage of what stands below as well. */
const usagesBelow = (program: CompatProgram, path: string, flagsOf: FlagsOf): string =>
  [...commandsBelow(program, path).values()]
    .map((command) => (command === undefined ? '' : usageOf(command.title ?? command.path, flagsOf(command))))
    .join('');

/** The usage of a command, with what some of them add. */
export function commandHelp(program: CompatProgram, command: CompatCommand, flagsOf: FlagsOf): string {
  const tail = (command.helpTail ?? command.on !== 'workload') ? 'flag: help requested' : '';
  const usage = usageOf(command.title ?? command.path, flagsOf(command));
  return `${usage}${usagesBelow(program, command.path, flagsOf)}${tail}${subcommands(program, command.path)}\n`;
}

const subcommands = (program: CompatProgram, path: string): string => {
  const below = [...commandsBelow(program, path)];
  if (below.length === 0) return '';
  const width = Math.max(...below.map(([key]) => key.length));
  const lines = below.map(([key, command]) => {
    const name = key.slice(path.length + 1);
    return `    ${name}${' '.repeat(width - key.length)}    ${command?.synopsis ?? ''}`;
  });
  return `\n\nSubcommands:\n${lines.join('\n')}`;
};
