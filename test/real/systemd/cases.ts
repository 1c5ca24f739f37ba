import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Case, ensure } from '../../interop/case.ts';
import { eventually } from '../../interop/spire/checks.ts';
import { comparison } from './comparison.ts';
import { asking, outside, type Place, told } from './place.ts';

/** What is shown with each systemd. */
export function casesOf(place: Place): readonly Case[] {
  const { systemd, agent } = place;
  const { server } = agent;
  const entry = (path: string, selector: string) => server.createEntry(server.id(path), agent.id, [selector]);

  return [
    {
      name: 'a transient unit gets its SVID by the name of its unit, and by the file it was read from',
      run: async () => {
        await entry('/by-id', 'systemd:id:web.service');
        await entry('/by-path', `systemd:fragment_path:${systemd.transientFolder}/web.service`);
        await entry('/other', 'systemd:id:other.service');
        const { command, file } = asking(place);
        await systemd.run('web.service', ...command);
        await told(file, 'both identities', ({ answer }) => sorted(answer) === '/by-id /by-path');
        await systemd.systemctl('stop', 'web.service');
      },
    },
    {
      name: 'a process outside any unit gets none, and no attestor is said to have failed',
      run: async () => {
        const { process, file } = outside(place);
        const { answer } = await told(file, 'a refusal', (each) => each.answer.includes('no identity issued'));
        ensure(!answer.includes('systemd'), `nothing failed: ${answer}`);
        await process.stop();
      },
    },
    {
      name: 'a unit that is restarted is the same unit with another process',
      run: async () => {
        const unit = 'again.service';
        await entry('/again', `systemd:fragment_path:${systemd.unitFolder}/${unit}`);
        const { command, file } = asking(place);
        await writeFile(join(systemd.unitFolder, unit), `[Service]\nExecStart=${command.join(' ')}\n`);
        await systemd.systemctl('daemon-reload');
        await systemd.systemctl('start', unit);
        const first = await told(file, 'an identity', ({ answer }) => answer === '/again');
        await systemd.systemctl('restart', unit);
        await told(file, 'the same again', ({ pid, answer }) => pid !== first.pid && answer === '/again');
        await systemd.systemctl('stop', unit);
      },
    },
    {
      name: 'while the bus hangs or is away a refusal names systemd; the agent finds the bus again by itself',
      run: async () => {
        await entry('/patient', 'systemd:id:patient.service');
        const { command, file } = asking(place);
        await systemd.run('patient.service', ...command);
        const identity = () => told(file, 'an identity', ({ answer }) => answer === '/patient');
        await identity();
        process.kill(await systemd.mainPid('dbus.service'), 'SIGKILL');
        await identity();
        const refusal = () =>
          told(file, 'a refusal that names systemd', ({ answer }) => /could not be .*systemd/.test(answer));
        process.kill(await systemd.mainPid('dbus.service'), 'SIGSTOP');
        await refusal();
        process.kill(await systemd.mainPid('dbus.service'), 'SIGCONT');
        await identity();
        await systemd.systemctl('stop', 'dbus.socket', 'dbus.service');
        await refusal();
        await systemd.systemctl('start', 'dbus.socket');
        await identity();
        await systemd.systemctl('stop', 'patient.service');
      },
    },
    {
      name: 'a process that a unit starts in another unit is of that one',
      run: async () => {
        await entry('/parent', 'systemd:id:parent.service');
        await entry('/child', 'systemd:id:child.scope');
        const own = asking(place);
        const child = asking(place);
        const scope = ['systemd-run', '--user', '--quiet', '--scope', '--unit=child', ...child.command];
        const variables = `XDG_RUNTIME_DIR=${systemd.environment['XDG_RUNTIME_DIR']}`;
        const shell = `${variables} ${scope.join(' ')} & exec ${own.command.join(' ')}`;
        await systemd.run('parent.service', '/bin/sh', '-c', shell);
        await told(own.file, 'the unit is itself', ({ answer }) => answer === '/parent');
        await told(child.file, 'its child is of the scope', ({ answer }) => answer === '/child');
        await systemd.systemctl('stop', 'child.scope');
        await systemd.systemctl('stop', 'parent.service');
        await eventually('both have ended', async () => (await systemd.mainPid('parent.service')) === 0);
      },
    },
    {
      name: 'an agent in another pid namespace is told of the right unit, or of none',
      run: async () => {
        const file = join(place.site.dir, `${place.systemd.name}-elsewhere`);
        const probe = [process.execPath, join(import.meta.dirname, 'attest-self.ts'), systemd.busAddress, file];
        await systemd.run('elsewhere.service', 'unshare', '--pid', '--fork', '--mount-proc', ...probe);
        const { pid, answer } = await told(file, 'an answer', () => true);
        ensure(pid === 1, `it has another number there, not ${pid}`);
        const known = answer.startsWith('id:elsewhere.service ');
        ensure(known || answer.includes('another pid namespace'), answer);
        ensure(known === place.takesPidfd, `by a pidfd (${place.takesPidfd}): ${answer}`);
        await systemd.systemctl('stop', 'elsewhere.service');
      },
    },
    comparison(place),
  ];
}

const sorted = (answer: string): string => answer.split(' ').sort().join(' ');
