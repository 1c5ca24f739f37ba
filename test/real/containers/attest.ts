// The attestor alone, wherever this process is: `attest.ts <settings as JSON> <pid>` prints the selectors' values.
import { createLogger, systemClock } from '../../../daemon/src/index.ts';
import { processCredentials } from '../../../daemon/src/listen/index.ts';
import { settingsSchema } from '../../../plugins/src/workload-attestor/docker/settings.ts';
import { DockerAttestor } from '../../../plugins/src/workload-attestor/docker.ts';

const [settings = '{}', pid = ''] = process.argv.slice(2);
const attestor = new DockerAttestor({
  ...settingsSchema.parse(JSON.parse(settings)),
  clock: systemClock,
  logger: createLogger(),
});
const selectors = await attestor.attest(processCredentials(Number(pid)), AbortSignal.timeout(5000));
console.log(JSON.stringify(selectors.map(({ value }) => value)));
