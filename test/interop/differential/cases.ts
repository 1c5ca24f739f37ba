// The same requests to SPIRE's server and to ours: the same statuses, messages and answers, but where ours is stricter.
import { type Case, ensure } from '../case.ts';
import type { Maker } from '../spire/maker.ts';
import type { ServerApi } from '../spire/server-api.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import { Site } from '../spire/site.ts';
import { agentQuestions, asAgent, asStranger, strangerQuestions } from './as-agent.ts';
import { entryQuestions } from './entries.ts';
import { otherQuestions } from './others.ts';
import { answerOf, nameOf, type Question } from './request.ts';

type Door = (site: Site, server: ServerUnit) => Promise<ServerApi>;

async function answers(maker: Maker, questions: readonly Question[], door: Door): Promise<string[]> {
  const site = await Site.open();
  try {
    const api = await door(site, await site.server(maker));
    const found: string[] = [];
    for (const question of questions) found.push(await answerOf(api, question));
    return found;
  } finally {
    await site.close(false);
  }
}

const adminSocket: Door = async (_site, { api }) => api;

const compared = (what: string, ask: () => Promise<readonly Question[]>, door: Door = adminSocket): Case => ({
  name: `api [${what}]`,
  run: async () => {
    const questions = await ask();
    const [theirs, ours] = [await answers('spire', questions, door), await answers('steeple', questions, door)];
    const differences = questions.flatMap((question, index) => difference(question, theirs[index], ours[index]));
    ensure(differences.length === 0, `the same answers, but ${differences.length} differ\n${differences.join('\n')}`);
  },
});

const difference = (question: Question, theirs: string | undefined, ours: string | undefined): string[] => {
  const [a, b] = around(theirs ?? 'nothing', ours ?? 'nothing');
  const shown = `  ${nameOf(question)}\n    SPIRE ${a}\n    ours  ${b}`;
  if (question.better === undefined) return theirs === ours ? [] : [shown];
  // A reason that no longer holds is a mistake too.
  return theirs === ours ? [`${shown}\n    though: ${question.better}`] : [];
};

/** Long answers from shortly before where they part. */
const around = (a: string, b: string): [string, string] => {
  let parting = 0;
  while (parting < a.length && a[parting] === b[parting]) parting++;
  const start = Math.max(0, parting - 60);
  return [a.slice(start, start + 300), b.slice(start, start + 300)];
};

export const differentialCases: readonly Case[] = [
  compared('entries', async () => entryQuestions),
  compared('agents, tokens, minting, logger, debug', otherQuestions),
  compared('as an agent', agentQuestions, asAgent),
  compared('as a stranger', strangerQuestions, asStranger),
];
