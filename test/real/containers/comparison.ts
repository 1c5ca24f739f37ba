import { join } from 'node:path';
import { type Case, ensure, Skip } from '../../interop/case.ts';
import { eventually } from '../../interop/spire/checks.ts';
import type { Block } from '../../interop/spire/write-hcl.ts';
import { run } from '../../stack/process.ts';
import { pidOf } from './container-engine.ts';
import { runInGroup } from './groups.ts';
import { mountsFor, workloadCommand } from './image.ts';
import { hold, type Place, remove } from './place.ts';

const attest = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'attest.ts')];

/** The same processes, asked about by SPIRE's agent and by our attestor, and by ours from a namespace of its own. */
export function comparisonCases(place: Place): readonly Case[] {
  const { engine, spire } = place;
  const settings = { [`${engine.name}_socket_path`]: `unix://${engine.socketPath}` };
  return [
    {
      name: "SPIRE's agent finds the same selectors for the same processes",
      run: async () => {
        if (spire === undefined) throw new Skip("needs SPIRE's agent");
        const flags = ['--label', 'com.example.app=web', '--label', 'a:b=c:d', '--env', 'X=1=2 "3"', '--env', 'EMPTY='];
        const kinds = [[], ['--pid', 'host'], ['--user', '65534:65534'], ['--cgroupns', 'private']];
        for (const [index, more] of kinds.entries()) {
          const name = `compared-${index}`;
          const own = ['--detach', '--name', name, '--network', 'none', ...mountsFor(spire.socket), ...flags, ...more];
          const from = spire.process.output.length;
          await engine.command('run', ...own, engine.image, ...workloadCommand('again'));
          const pid = await pidOf(engine, name);
          const theirs = await eventually('SPIRE has found something', async () =>
            selectorsFound(spire.process.output.slice(from), pid),
          );
          const ours = await selectorsOf(settings, pid);
          ensure(ours.length >= 7, `several selectors, not ${ours}`);
          ensure(same(ours, theirs), `${name}: ${ours.toSorted()} as SPIRE has ${theirs.toSorted()}`);
          await remove(place, name);
        }
      },
    },
    {
      name: 'an agent in a cgroup namespace of its own finds the same as one outside, also in containers with their own',
      run: async () => {
        for (const namespace of ['host', 'private']) {
          await hold(place, `spaced-${namespace}`, '--cgroupns', namespace, '--label', 'com.example.app=web');
          const pid = await pidOf(engine, `spaced-${namespace}`);
          const outside = await selectorsOf(settings, pid);
          const group = `${engine.parentGroup}/agent`;
          const command = [...attest, JSON.stringify(settings), String(pid)];
          const inside = JSON.parse(await runInGroup(group, command, true)) as readonly string[];
          ensure(outside.includes('label:com.example.app:web') && same(inside, outside), `${inside} as ${outside}`);
          await remove(place, `spaced-${namespace}`);
        }
      },
    },
  ];
}

/** By our attestor, in a process of its own. */
export async function selectorsOf(settings: Block, pid: number): Promise<readonly string[]> {
  const [node = '', ...args] = attest;
  const { code, output } = await run(node, [...args, JSON.stringify(settings), String(pid)]);
  if (code !== 0) throw new Error(output);
  return JSON.parse(output) as readonly string[];
}

/** Values of type docker in SPIRE's log line about a process. */
export function selectorsFound(log: string, pid: number): readonly string[] | undefined {
  const line = log
    .split('\n')
    .findLast((each) => each.includes('attested to have selectors') && each.includes(`"pid":${pid},`));
  if (line === undefined) return undefined;
  const { selectors } = JSON.parse(line) as { selectors: readonly { type: string; value: string }[] };
  const found = selectors.filter(({ type }) => type === 'docker').map(({ value }) => value);
  return found.length === 0 ? undefined : found;
}

export const same = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());
