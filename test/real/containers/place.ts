import { join } from 'node:path';
import { ensure, Skip } from '../../interop/case.ts';
import type { AgentUnit } from '../../interop/spire/agent-unit.ts';
import { eventually } from '../../interop/spire/checks.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import { Site } from '../../interop/spire/site.ts';
import type { Block } from '../../interop/spire/write-hcl.ts';
import type { ContainerEngine } from './container-engine.ts';
import { EngineGate } from './engine-gate.ts';
import { mountsFor, workloadCommand } from './image.ts';

/** Never to be read in a log. */
export const SECRET = 'correct-horse-battery';

/** An engine, our agent that asks it, and SPIRE's where it can be had. */
export interface Place {
  readonly engine: ContainerEngine;
  readonly gate: EngineGate;
  readonly site: Site;
  readonly server: ServerUnit;
  readonly agent: AgentUnit;
  readonly spire: AgentUnit | undefined;
}

/** A list of paths, or why there are none. */
export type Answer = readonly string[] | string;

/** @param settings - of the attestor, beside the engine's own socket */
export async function openPlace(engine: ContainerEngine, settings: Block = {}): Promise<Place> {
  const site = await Site.open();
  try {
    const gate = await EngineGate.open(join(site.dir, 'engine.sock'), engine.socketPath);
    site.defer(() => gate[Symbol.asyncDispose]());
    const server = await site.server('steeple');
    const sockets = { [`${engine.name}_socket_path`]: `unix://${gate.socketPath}` };
    // With `unix`, as an agent of SPIRE's is not healthy if its own process has no selectors at all.
    const plugins = { WorkloadAttestor: { docker: { ...sockets, ...settings }, unix: {} } };
    const agent = await site.agent('steeple', server, { plugins });
    const spire = await site.agent('spire', server, { plugins, settings: { log_format: 'JSON' } }).catch((error) => {
      if (error instanceof Skip) return undefined;
      throw error;
    });
    return { engine, gate, site, server, agent, spire };
  } catch (error) {
    await site.close(false);
    throw error;
  }
}

/** The identity of that path, for everything with these selectors. */
export async function allow({ server, agent }: Place, path: string, ...selectors: readonly string[]): Promise<void> {
  await server.createEntry(server.id(path), agent.id, selectors);
}

/** This process asks, which is in no container. */
export async function askHere({ agent }: Place): Promise<Answer> {
  return await agent.workload.fetchX509Context({ timeout: 10 }).then(
    ({ svids }) => svids.map(({ id }) => id.path).sort(),
    (error: Error) => `refused: ${error.message}`,
  );
}

/** Starts a container and asks once from within. */
export async function askIn({ engine, agent }: Place, ...flags: readonly string[]): Promise<Answer> {
  const all = ['--rm', '--network', 'none', ...mountsFor(agent.socket), ...flags];
  return answerIn(await engine.command('run', ...all, engine.image, ...workloadCommand('once')));
}

/** Asks from a container that runs, as whoever has a shell in it. */
export async function askFrom({ engine }: Place, container: string, ...flags: readonly string[]): Promise<Answer> {
  return answerIn(await engine.command('exec', ...flags, container, ...workloadCommand('once')));
}

/** Starts a container that stays, with nothing in it that asks. */
export async function hold({ engine, agent }: Place, name: string, ...flags: readonly string[]): Promise<void> {
  const all = ['--detach', '--name', name, '--network', 'none', ...mountsFor(agent.socket), ...flags];
  await engine.command('run', ...all, engine.image, '/bin/sleep', '1000');
}

export async function remove({ engine }: Place, ...names: readonly string[]): Promise<void> {
  await engine.command('rm', '--force', ...names);
}

/**
 * Asks until the answer is those paths. Others are of no interest that begin otherwise than these: each case has a beginning
 * of its own, and containers of one image have things in common.
 */
export async function told(
  what: string,
  ask: () => Promise<Answer>,
  ...paths: readonly [string, ...string[]]
): Promise<void> {
  const wanted = paths.toSorted().join(' ');
  const start = `/${paths[0].split('/')[1]}/`;
  await eventually(what, async () => {
    const answer = await ask();
    ensure(typeof answer !== 'string', `${wanted}, not ${answer.toString()}`);
    const found = answer.filter((path) => path.startsWith(start)).join(' ');
    ensure(found === wanted, `${wanted}, not ${found}`);
    return true;
  });
}

/** Asks once: a refusal is not for now only. */
export async function refused(what: string, ask: () => Promise<Answer>): Promise<void> {
  const answer = await ask();
  ensure(typeof answer === 'string' && /no identity issued/.test(answer), `${what} gets nothing, not ${answer}`);
}

export function answerIn(output: string): Answer {
  const [, answer] = /^answer (.*)$/m.exec(output) ?? [];
  if (answer === undefined) throw new Error(`the workload did not say anything: ${output}`);
  return JSON.parse(answer) as Answer;
}
