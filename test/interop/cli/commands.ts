// What commands and flags there are: asked of the real programs, so that none is forgotten.
import { execFile } from 'node:child_process';
import { spireProgram } from '../peers/spire.ts';
import type { CommandStep } from './step.ts';

type Program = CommandStep['program'];

/** What the real program says to these words. */
export async function said(program: Program, words: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const path = await spireProgram(program);
  return new Promise((resolve) => {
    execFile(path, [...words], { env }, (_error, out, err) => resolve(out + err));
  });
}

/** Every command with its flags, from the help of the program and of everything below it. */
export async function commandsOf(program: Program, env: NodeJS.ProcessEnv): Promise<Map<string, string[]>> {
  const commands = new Map<string, string[]>();
  const visit = async (path: readonly string[]): Promise<void> => {
    const help = await said(program, [...path, '-h'], env);
    const [own = '', below = ''] = help.split(/Available commands are:\n|\nSubcommands:\n/);
    const names = [...below.matchAll(/^ {4}(\S+)/gm)].map(([, name = '']) => name);
    if (!own.includes('accessed by using one of the subcommands') && path.length > 0) {
      // The usages of what stands below come behind the command's own.
      const usage = own.split('Usage of ')[1] ?? '';
      commands.set(
        path.join(' '),
        [...usage.matchAll(/^ {2}-(\S+)/gm)].map(([, flag = '']) => flag),
      );
    }
    for (const name of names) await visit([...path, name]);
  };
  await visit([]);
  return commands;
}
