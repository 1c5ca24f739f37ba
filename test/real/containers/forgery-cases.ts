import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Case, ensure } from '../../interop/case.ts';
import { idOf, pidOf } from './container-engine.ts';
import { removeGroup, workloadInGroup } from './groups.ts';
import { allow, answerIn, askFrom, askIn, hold, type Place, refused, remove, told } from './place.ts';

/** Who would be somebody else. A container `victim` has an identity; nobody else may get it. */
export function forgeryCases(place: Place): readonly Case[] {
  const { engine, agent } = place;
  let allowed: Promise<void> | undefined;
  const withVictim = async (use: (id: string) => Promise<void>) => {
    await (allowed ??= allow(place, '/victim/one', 'docker:label:victim:yes'));
    await hold(place, 'victim', '--label', 'victim=yes');
    try {
      await told('the victim', () => askFrom(place, 'victim'), '/victim/one');
      await use(await idOf(engine, 'victim'));
    } finally {
      await remove(place, 'victim');
    }
  };
  const refusedBy = async (reason: RegExp, ask: () => ReturnType<typeof askIn>) => {
    const from = agent.process.output.length;
    await refused('the liar', ask);
    await agent.process.line(reason, 5, from);
  };

  return [
    {
      name: 'a container below the group of another, by --cgroup-parent, gets nothing',
      run: () =>
        withVictim(async (id) => {
          const [group] = await groupsOf(place, 'victim');
          ensure(group?.includes(id) === true, `the victim's group ${group}`);
          await refusedBy(/a container within a container/, () => askIn(place, '--cgroup-parent', group ?? ''));
        }),
    },
    {
      name: 'a container in the groups of a pod, by --cgroup-parent, gets nothing',
      run: async () => {
        const pod = `${engine.parentGroup}/kubepods/burstable/pod${randomUUID()}`;
        await refusedBy(/a pod that it does not belong to/, () => askIn(place, '--cgroup-parent', pod));
        // Podman refuses such a name itself.
        if (engine.name === 'podman') return;
        const systemd = `${engine.parentGroup}/kubepods.slice/kubepods-pod${randomUUID().replaceAll('-', '_')}.slice`;
        await refusedBy(/a pod that it does not belong to/, () => askIn(place, '--cgroup-parent', systemd));
      },
    },
    {
      name: "a process of the machine in a group with the victim's name gets nothing",
      run: () =>
        withVictim(async (id) => {
          const name = engine.name === 'podman' ? `libpod-${id}.scope` : `docker-${id}.scope`;
          const ours = (group: string) => async () => answerIn(await workloadInGroup(group, agent.socket));
          const group = `${engine.parentGroup}/mine/${name}`;
          await refusedBy(/not where the engine has the container/, ours(group));
          const login = `${engine.parentGroup}/mine/user.slice/user-1000.slice/${name}`;
          await refusedBy(/not where the engine has the container/, ours(login));
          await removeGroup(`${engine.parentGroup}/mine`);
        }),
    },
    {
      name: 'a container that makes a group with the name of the victim gets nothing; any other group is its own matter',
      run: () =>
        withVictim(async (id) => {
          await allow(place, '/maker/one', 'docker:label:maker:yes');
          await hold(place, 'maker', '--label', 'maker=yes');
          const [group] = await groupsOf(place, 'maker');
          const ask = (name: string) => async () => answerIn(await workloadInGroup(`${group}/${name}`, agent.socket));
          await told('in a group of its own', ask('app.service'), '/maker/one');
          await refusedBy(/a container within a container/, ask(`docker-${id}.scope`));
          // Which podman could have made; it is asked, and has no such container there.
          const podman = /a container within a container|there is no engine|no such container|not where the engine/;
          await refusedBy(podman, ask(`libpod-${id}`));
          for (const name of ['app.service', `docker-${id}.scope`, `libpod-${id}`])
            await removeGroup(`${group}/${name}`);
          await remove(place, 'maker');
        }),
    },
    {
      name: 'a container that is gone before the engine has answered leaves nothing to anybody',
      run: async () => {
        await allow(place, '/late/one', 'docker:label:late:yes');
        const from = agent.process.output.length;
        const held = place.gate.holding();
        const asking = askIn(place, '--name', 'late', '--label', 'late=yes').catch((error: Error) => error.message);
        await held.asked;
        await engine.command('kill', 'late');
        await asking;
        held.go();
        place.gate.open();
        await agent.process.line(/process is gone|caller ended|has no such container|does not run/, 8, from);
        ensure(!agent.process.output.slice(from).includes('/late/one'), 'no SVID was handed out');
        await told('the next one', () => askIn(place, '--label', 'late=yes'), '/late/one');
      },
    },
  ];
}

async function groupsOf({ engine }: Place, container: string): Promise<readonly string[]> {
  const text = await readFile(`/proc/${await pidOf(engine, container)}/cgroup`, 'utf8');
  return text.split('\n').flatMap((line) => line.split(':').slice(2));
}
