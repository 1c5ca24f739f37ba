import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentUnit } from '../../interop/spire/agent-unit.ts';
import { eventually } from '../../interop/spire/checks.ts';
import type { Site } from '../../interop/spire/site.ts';
import { Process } from '../../stack/process.ts';
import type { UserManager } from './user-manager.ts';

const workload = join(import.meta.dirname, 'workload.ts');
const QUIET = '--disable-warning=ExperimentalWarning';

/** A systemd, our agent that asks it, and entries for its units. */
export interface Place {
  readonly site: Site;
  readonly systemd: UserManager;
  readonly agent: AgentUnit;
  /** Whether this systemd is asked by pidfd, as from version 253 on. */
  readonly takesPidfd: boolean;
  /** SPIRE's agent on the same bus; undefined where it cannot be had. */
  readonly spire: AgentUnit | undefined;
}

/** What one workload was told. */
export interface Told {
  readonly pid: number;
  readonly answer: string;
}

let files = 0;

/** The command of a workload that asks this agent, and the file with its answers. */
export function asking(
  place: Place,
  agent = place.agent,
): { readonly command: readonly string[]; readonly file: string } {
  files += 1;
  const file = join(place.site.dir, `answers-${files}`);
  return { command: [process.execPath, QUIET, workload, agent.socket, file], file };
}

/** Starts it outside of any unit. */
export function outside(place: Place): { readonly process: Process; readonly file: string } {
  const { command, file } = asking(place);
  const [node = '', ...args] = command;
  return { process: place.site.watch(new Process('outside', node, args)), file };
}

/** Waits for an answer that passes, given after now. */
export async function told(file: string, what: string, passes: (told: Told) => boolean): Promise<Told> {
  const before = (await lines(file)).length;
  return await eventually(what, async () => {
    const after = (await lines(file)).slice(before);
    const found = after.find(passes);
    if (found === undefined && after.length > 0) throw new Error(`told: ${after.at(-1)?.answer}`);
    return found;
  });
}

async function lines(file: string): Promise<readonly Told[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ pid: Number(line.split(' ')[0]), answer: line.slice(line.indexOf(' ') + 1) }));
}
