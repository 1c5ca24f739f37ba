import { UserError } from '../exit.ts';
import { completionScript, shells } from '../output/completion.ts';
import { nouns, verbs } from '../tree/index.ts';
import type { CliContext, Options } from '../verb.ts';

export async function run(_options: Options, context: CliContext, args: readonly string[]): Promise<void> {
  const shell = shells.find((name) => name === args[0]);
  if (shell === undefined) {
    throw new UserError(`no completions for '${args[0] ?? ''}'`, `use one of ${shells.join(', ')}`);
  }
  context.out(completionScript(shell, nouns, verbs));
}
