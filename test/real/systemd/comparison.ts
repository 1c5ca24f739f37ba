import { systemClock } from '@steeple/daemon';
import { processCredentials } from '@steeple/daemon/listen';
import { SystemdAttestor } from '../../../plugins/src/workload-attestor/systemd.ts';
import { type Case, ensure, Skip } from '../../interop/case.ts';
import { eventually } from '../../interop/spire/checks.ts';
import { asking, type Place, told } from './place.ts';

/** The same processes, asked about by SPIRE's agent and by our attestor. */
export function comparison(place: Place): Case {
  const { systemd, spire, site } = place;
  return {
    name: "SPIRE's agent finds the same selectors for the same processes",
    run: async () => {
      if (spire === undefined) throw new Skip("needs SPIRE's agent");
      const attestor = new SystemdAttestor({
        clock: systemClock,
        environment: { DBUS_SYSTEM_BUS_ADDRESS: systemd.busAddress },
      });
      site.defer(() => attestor.close());
      const service = asking(place, spire);
      await systemd.run('same.service', ...service.command);
      const scope = asking(place, spire);
      const shell = ['systemd-run', '--user', '--quiet', '--scope', '--unit=same', ...scope.command];
      const variables = `XDG_RUNTIME_DIR=${systemd.environment['XDG_RUNTIME_DIR']}`;
      await systemd.run('starter.service', '/bin/sh', '-c', `${variables} exec ${shell.join(' ')}`);
      for (const { file } of [service, scope]) {
        const { pid } = await told(file, 'SPIRE has answered', () => true);
        const credentials = processCredentials(pid);
        const ours = (await attestor.attest(credentials, AbortSignal.timeout(5000))).map(({ value }) => value);
        credentials.close();
        const theirs = await eventually('SPIRE logs what it found', async () =>
          selectorsFound(spire.process.output, pid),
        );
        ensure(ours.length === 2, `two selectors, not ${ours}`);
        ensure(ours.toSorted().join() === theirs.toSorted().join(), `${ours} as SPIRE has ${theirs}`);
      }
      for (const unit of ['same.service', 'same.scope', 'starter.service']) await systemd.systemctl('stop', unit);
    },
  };
}

/** Values of type systemd in SPIRE's log line about a process. */
function selectorsFound(log: string, pid: number): readonly string[] | undefined {
  const line = log
    .split('\n')
    .findLast((each) => each.includes('attested to have selectors') && each.includes(`pid=${pid} `));
  if (line === undefined) return undefined;
  const found = [...line.matchAll(/type:\\?"systemd\\?"\s+value:\\?"([^"\\]*)/g)].map(([, value = '']) => value);
  return found.length === 0 ? undefined : found;
}
