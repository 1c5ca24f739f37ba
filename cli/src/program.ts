import { Command, Option } from 'commander';
import { nouns, verbs } from './tree/index.ts';
import type { CliContext, Flag, Noun, Options, Verb } from './verb.ts';

const version = '0.1.0';

/** The commander program for the command tree. */
export function createProgram(context: CliContext): Command {
  const program = new Command('steeple')
    .description('SPIFFE identities for workloads and agents')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(see --help for the flags)')
    .configureOutput({
      writeOut: (text) => context.out(text.trimEnd()),
      writeErr: (text) => context.err(text.trimEnd()),
    });
  for (const noun of nouns) program.addCommand(nounCommand(noun, context, program));
  for (const verb of [...verbs, completion]) program.addCommand(verbCommand(verb, context, program));
  return program;
}

/** Stands beside the tree, which it reads. */
const completion: Verb = {
  name: 'completion',
  summary: 'print a completion script for bash, zsh or fish',
  args: ['<shell>'],
  flags: [],
  load: async () => (await import('./commands/completion.ts')).run,
};

function nounCommand(noun: Noun, context: CliContext, parent: Command): Command {
  const command = new Command(noun.name).description(noun.summary).copyInheritedSettings(parent);
  for (const verb of noun.verbs) command.addCommand(verbCommand(verb, context, command));
  for (const inner of noun.nouns ?? []) command.addCommand(nounCommand(inner, context, command));
  return command;
}

function verbCommand(verb: Verb, context: CliContext, parent: Command): Command {
  const command = new Command(verb.name).description(verb.summary).copyInheritedSettings(parent);
  for (const argument of verb.args ?? []) command.argument(argument);
  for (const flag of verb.flags) command.addOption(optionOf(flag));
  if (verb.raw === true) command.allowUnknownOption().allowExcessArguments().helpOption(false);
  return command.action(async () => {
    // Not commander's own check: that comes before it has noticed a mistyped flag.
    const missing = command.options.find(({ long }) => isMissing(verb, long, command));
    if (missing !== undefined) command.error(`error: required option '${missing.flags}' not specified`);
    const run = await verb.load();
    await run(command.opts<Options>(), context, command.args);
  });
}

function isMissing(verb: Verb, long: string | null | undefined, command: Command): boolean {
  const flag = verb.flags.find(({ flags }) => flags.split(/[\s,]+/).includes(long ?? ''));
  const option = command.options.find((option) => option.long === long);
  return flag?.required === true && command.getOptionValue(option?.attributeName() ?? '') === undefined;
}

function optionOf({ flags, help, list, choices }: Flag): Option {
  const option = new Option(flags, list === true ? `${help} (may be repeated)` : help);
  if (choices !== undefined) option.choices(choices);
  if (list === true) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  return option;
}
