import { randomUUID } from 'node:crypto';
import { type Case, ensure } from '../../interop/case.ts';
import { allow, askFrom, askHere, askIn, hold, type Place, refused, remove, SECRET, told } from './place.ts';

/** What a container gets, and which processes are of it. */
export function selectorCases(place: Place): readonly Case[] {
  const { engine, agent } = place;
  return [
    {
      name: 'a container gets its SVID by each kind of selector, from itself and from its image',
      run: async () => {
        const digest = await engine.command('image', 'inspect', '--format', '{{.Id}}', engine.image);
        const ofImage = {
          '/kinds/image-label': 'label:from:image',
          '/kinds/image-env': 'env:IMAGE=made-here',
          '/kinds/name': `image_id:${engine.image}`,
          '/kinds/digest': `image_config_digest:sha256:${digest.replace('sha256:', '')}`,
        };
        const own = { '/kinds/label': 'label:com.example.app:web', '/kinds/env': 'env:COLOUR=dark blue' };
        const others = {
          '/kinds/other-label': 'label:com.example.app:we',
          '/kinds/other-env': 'env:COLOUR=dark',
          '/kinds/other-name': 'image_id:shop/other:1',
        };
        for (const [path, selector] of Object.entries({ ...ofImage, ...own, ...others }))
          await allow(place, path, `docker:${selector}`);
        const all = Object.values({ ...ofImage, ...own }).map((each) => `docker:${each}`);
        await allow(place, '/kinds/all', ...all);
        const flags = ['--label', 'com.example.app=web', '--env', 'COLOUR=dark blue'];
        await told('all', () => askIn(place, ...flags), '/kinds/all', ...Object.keys({ ...ofImage, ...own }));
        await told(
          'a bare one',
          () => askIn(place),
          '/kinds/name',
          ...Object.keys(ofImage).filter((path) => path !== '/kinds/name'),
        );
      },
    },
    {
      name: 'a process that was sent into it has its SVID, as any user, and with the pids of the machine',
      run: async () => {
        await allow(place, '/held/anybody', 'docker:label:held:yes');
        await allow(place, '/held/nobody', 'docker:label:held:yes', 'unix:uid:65534');
        await hold(place, 'held', '--label', 'held=yes');
        await told('root', () => askFrom(place, 'held'), '/held/anybody');
        const nobody = () => askFrom(place, 'held', '--user', '65534:65534');
        await told('somebody else', nobody, '/held/anybody', '/held/nobody');
        await told('with all pids', () => askIn(place, '--label', 'held=yes', '--pid', 'host'), '/held/anybody');
        await remove(place, 'held');
      },
    },
    {
      name: 'processes outside of containers get nothing, and no attestor is said to have failed',
      run: async () => {
        const before = agent.process.output.length;
        await refused('this process', () => askHere(place));
        ensure(!agent.process.output.slice(before).includes('attestor failed'), 'nothing failed');
      },
    },
    {
      name: 'what the environment holds is in no log',
      run: async () => {
        await allow(place, '/secret/mine', 'docker:label:secret:yes', `docker:env:PASSWORD=${SECRET}`);
        const flags = ['--label', 'secret=yes', '--env', `PASSWORD=${SECRET}`];
        await told('by a secret', () => askIn(place, ...flags), '/secret/mine');
        // Also where something goes wrong with it.
        const from = agent.process.output.length;
        const pod = `${engine.parentGroup}/kubepods/pod${randomUUID()}`;
        await refused('a liar', () => askIn(place, ...flags, '--cgroup-parent', pod));
        await agent.process.line(/attestor failed/, 5, from);
        ensure(!agent.process.output.includes(SECRET), 'the agent logs no secret');
      },
    },
  ];
}
