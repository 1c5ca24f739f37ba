// Where a script runs: a server and an agent of one maker, and the command line of one.
import { spawn } from 'node:child_process';
import { compatMain } from '../../../cli/src/compat/main.ts';
import { spireProgram } from '../peers/spire.ts';
import type { AgentUnit } from '../spire/agent-unit.ts';
import type { Maker } from '../spire/maker.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import type { Site } from '../spire/site.ts';
import { type CommandStep, wordsOf } from './step.ts';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Place {
  readonly commands: Maker;
  readonly server: ServerUnit;
  readonly agent: AgentUnit;
  /** A folder for files. */
  readonly dir: string;
  /** What `{name}` stands for. */
  readonly names: Map<string, string>;
}

export async function openPlace(site: Site, daemons: Maker, commands: Maker): Promise<Place> {
  const server = await site.server(daemons, {
    settings: { experimental: { feature_flags: ['wit-svid'] }, audit_log_enabled: true },
  });
  const agent = await site.agent(daemons, server, { admin: true });
  const names = new Map([
    ['agent', agent.id],
    ['dir', site.dir],
    ['uid', String(process.getuid?.() ?? 0)],
    ['serverSocket', server.adminSocket],
    ['workloadSocket', agent.socket],
    ['adminSocket', agent.adminSocket],
    ['serverConfig', server.config],
    ['agentConfig', agent.config],
  ]);
  return { commands, server, agent, dir: site.dir, names };
}

/** Runs one command in a place. */
export async function runStep(place: Place, step: CommandStep): Promise<Outcome> {
  const fill = (text: string): string => text.replace(/\{(\w+)\}/g, (_all, name: string) => known(place, name));
  const words = wordsOf(step.line).map(fill);
  if (step.ownSocket !== true) words.push('-socketPath', fill(socketOf(step)));
  const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, fill(value)]));
  const stdin = fill(step.stdin ?? '');
  const outcome =
    place.commands === 'steeple'
      ? await runOurs(step.program, words, env, stdin)
      : await runTheirs(step.program, words, env, stdin);
  for (const [name, pattern] of Object.entries(step.keep ?? {})) {
    const [, found] = pattern.exec(outcome.out) ?? [];
    if (found === undefined) throw new Error(`${step.line}: no ${pattern} in ${JSON.stringify(outcome)}`);
    place.names.set(name, found);
  }
  return outcome;
}

const known = ({ names }: Place, name: string): string => {
  const value = names.get(name);
  if (value === undefined) throw new Error(`nothing is known as {${name}}`);
  return value;
};

const socketOf = ({ program, line }: CommandStep): string => {
  if (program === 'spire-server') return '{serverSocket}';
  return /^(debug|logger)/.test(line) ? '{adminSocket}' : '{workloadSocket}';
};

/** In this process: its entry point is given its words, streams and environment, which is all that the binary adds. */
async function runOurs(
  program: CommandStep['program'],
  words: readonly string[],
  env: Record<string, string>,
  stdin: string,
): Promise<Outcome> {
  let [out, err] = ['', ''];
  const code = await compatMain(program, words, {
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    stdin: async () => Buffer.from(stdin),
    now: () => Date.now() / 1000,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

async function runTheirs(
  program: CommandStep['program'],
  words: readonly string[],
  env: Record<string, string>,
  stdin: string,
): Promise<Outcome> {
  const path = await spireProgram(program);
  return new Promise((resolve, reject) => {
    const child = spawn(path, words, { env: { PATH: '/usr/bin:/bin', ...env }, timeout: 60_000 });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, out, err }));
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
}
