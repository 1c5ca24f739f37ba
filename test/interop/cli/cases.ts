// The command lines of both makers on the daemons of both: what they say must be what SPIRE's says to SPIRE's.

import { compatMain } from '../../../cli/src/compat/main.ts';
import { type Case, ensure } from '../case.ts';
import type { Maker } from '../spire/maker.ts';
import { Site } from '../spire/site.ts';
import { commandsOf, said } from './commands.ts';
import { masked } from './mask.ts';
import { type Outcome, openPlace, runStep } from './place.ts';
import { script } from './script.ts';
import { type CommandStep, type Step, wordsOf } from './step.ts';
import { watchCases } from './watch.ts';

const PROGRAMS = ['spire-server', 'spire-agent'] as const;
const env = { SPIRE_SERVER_FFLAGS: 'wit-svid' };

const isCommand = (step: Step): step is CommandStep => typeof step !== 'function';
const commandSteps = script.filter(isCommand);

/** The outcomes of the script's commands, in order. */
async function tell(daemons: Maker, commands: Maker): Promise<Outcome[]> {
  const site = await Site.open();
  try {
    const place = await openPlace(site, daemons, commands);
    const outcomes: Outcome[] = [];
    for (const step of script) {
      if (isCommand(step)) outcomes.push(masked(await runStep(place, step), place));
      else await step(place);
    }
    return outcomes;
  } finally {
    await site.close(false);
  }
}

let reference: Promise<Outcome[]> | undefined;

function compared(daemons: Maker, commands: Maker): Case {
  return {
    name: `cli [${commands} commands, ${daemons} daemons]`,
    run: async () => {
      reference ??= tell('spire', 'spire');
      const [expected, found] = [await reference, await tell(daemons, commands)];
      const differences = commandSteps.flatMap((step, index) =>
        difference(step, expected[index], found[index], daemons === 'steeple'),
      );
      ensure(differences.length === 0, `the same answers, but ${differences.length} differ\n${differences.join('\n')}`);
    },
  };
}

const difference = (
  step: CommandStep,
  expected: Outcome | undefined,
  found: Outcome | undefined,
  byOurs: boolean,
): string[] => {
  if (!expected || !found) return [`${step.line}: not run`];
  const [a, b] = [expected, found].map((outcome) => JSON.stringify(shown(step, outcome)));
  if (byOurs && step.better !== undefined) {
    return a === b
      ? [`  ${step.program} ${step.line}\n    the same, though ours should be better: ${step.better}`]
      : [];
  }
  return a === b ? [] : [`  ${step.program} ${step.line}\n    expected ${a}\n    found    ${b}`];
};

const shown = ({ compare = 'all' }: CommandStep, { code, out, err }: Outcome): Partial<Outcome> => {
  if (compare === 'code') return { code };
  const part = (text: string): string => (compare === 'all' || text === '' ? text : 'something');
  return { code, out: part(out), err: part(err) };
};

const complete: Case = {
  name: 'cli [the script uses every command and flag]',
  run: async () => {
    const missing: string[] = [];
    for (const program of PROGRAMS) {
      for (const [path, flags] of await commandsOf(program, env)) {
        const lines = commandSteps.filter((step) => step.program === program && isOf(step, path, program));
        if (lines.length === 0) missing.push(`${program} ${path}`);
        const used = new Set(lines.flatMap(flagsIn));
        missing.push(...flags.filter((flag) => !used.has(flag)).map((flag) => `${program} ${path} -${flag}`));
      }
    }
    ensure(missing.length === 0, `every command and flag is used, but not\n${missing.join('\n')}`);
  },
};

const isOf = ({ line }: CommandStep, path: string, program: string): boolean => {
  const words = wordsOf(line);
  const end = words.findIndex((word) => word.startsWith('-'));
  const own = (end === -1 ? words : words.slice(0, end)).join(' ');
  // What follows `run` are never words.
  return own === path || (program === 'spire-agent' && own === path);
};

const flagsIn = (step: CommandStep): string[] => [
  ...wordsOf(step.line).flatMap((word) => /^--?([A-Za-z0-9]+)/.exec(word)?.[1] ?? []),
  ...(step.ownSocket === true ? [] : ['socketPath']),
];

const help: Case = {
  name: 'cli [help]',
  run: async () => {
    const differences: string[] = [];
    for (const program of PROGRAMS) {
      const paths = [...(await commandsOf(program, env)).keys()];
      const nouns = new Set(
        paths.flatMap((path) => path.split(' ').map((_word, n, words) => words.slice(0, n).join(' '))),
      );
      for (const path of [...nouns, ...paths]) {
        for (const words of [
          [...wordsOf(path), '-h'],
          wordsOf(path),
          [...wordsOf(path), 'nonsense'],
          [...wordsOf(path), '-nonsense'],
        ]) {
          // A command without flags is run by the script; here it would call a socket.
          if (paths.includes(path) && !words.some((word) => word.startsWith('-'))) continue;
          const [theirs, ours] = [await said(program, words, env), await saidByUs(program, words)];
          if (theirs !== ours)
            differences.push(`${program} ${words.join(' ')}\n--- SPIRE\n${theirs}\n--- ours\n${ours}`);
        }
      }
    }
    ensure(differences.length === 0, `the same help, but ${differences.length} differ\n${differences.join('\n')}`);
  },
};

async function saidByUs(program: CommandStep['program'], words: readonly string[]): Promise<string> {
  let text = '';
  const add = (more: string): void => {
    text += more;
  };
  const now = (): number => Date.now() / 1000;
  const stdin = async (): Promise<Buffer> => Buffer.of();
  await compatMain(program, words, { env, out: add, err: add, stdin, now, signal: new AbortController().signal });
  return text;
}

export const cliCases: readonly Case[] = [
  help,
  complete,
  compared('spire', 'steeple'),
  compared('steeple', 'spire'),
  compared('steeple', 'steeple'),
  ...watchCases,
];
