import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Case, ensure, Skip } from '../../interop/case.ts';
import { eventually } from '../../interop/spire/checks.ts';
import { same, selectorsFound, selectorsOf } from '../containers/comparison.ts';
import { allow, answerIn, remove, told } from '../containers/place.ts';
import { type Rootless, USER } from './rootless.ts';

/** A user's own podman. */
export function rootlessCases(rootless: Rootless): readonly Case[] {
  return [
    {
      name: 'a container of a user has its SVID where that is set, and combines with the user',
      run: async () => {
        const place = await rootless.place();
        await allow(place, '/user/label', 'docker:label:com.example.app:web');
        await allow(place, '/user/both', 'docker:label:com.example.app:web', `unix:uid:${USER}`);
        await allow(place, '/user/root', 'docker:label:com.example.app:web', 'unix:uid:0');
        await rootless.run('mine', place.agent.socket, '--label', 'com.example.app=web');
        const last = async () => {
          const lines = (await place.engine.command('logs', 'mine')).split('\n');
          return answerIn(lines.at(-1) ?? '');
        };
        await told('by label and user', last, '/user/both', '/user/label');
        await remove(place, 'mine');
      },
    },
    {
      name: "where it is not set, a user's engine is not asked; an engine of root's does not answer for it",
      run: async () => {
        const { engine, agent, gate, site } = await rootless.place();
        const pid = await rootless.run('unset', agent.socket, '--label', 'com.example.app=web');
        const failure = async (settings: Record<string, string>) =>
          await selectorsOf(settings, pid).then(String, (error: Error) => error.message);
        const unset = await failure({ podman_socket_path: `unix://${engine.socketPath}` });
        ensure(/podman_socket_path_template/.test(unset), `the setting is named: ${unset}`);
        // A socket of root's, with the same engine behind it.
        await symlink(gate.socketPath, join(site.dir, `root-${USER}.sock`));
        const ofRoot = await failure({ podman_socket_path_template: `unix://${site.dir}/root-%d.sock` });
        ensure(/belongs to user 0 and may not answer/.test(ofRoot), `its owner is refused: ${ofRoot}`);
        await remove(await rootless.place(), 'unset');
      },
    },
    {
      name: "SPIRE's agent finds the same selectors for a container of a user",
      run: async () => {
        const place = await rootless.place();
        const { spire, engine } = place;
        if (spire === undefined) throw new Skip("needs SPIRE's agent");
        const pid = await rootless.run('compared', spire.socket, '--label', 'a:b=c:d', '--env', 'X=1=2 "3"');
        const theirs = await eventually('SPIRE has found something', async () =>
          selectorsFound(spire.process.output, pid),
        );
        const ours = await selectorsOf(
          { podman_socket_path_template: `unix://${engine.socketPath.replace(`${USER}`, '%d')}` },
          pid,
        );
        ensure(ours.length >= 7 && same(ours, theirs), `${ours} as SPIRE has ${theirs}`);
        await remove(place, 'compared');
      },
    },
  ];
}
