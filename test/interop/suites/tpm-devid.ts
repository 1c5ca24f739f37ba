import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lies, replay, tell } from '../../real/tpm/lies.ts';
import { attestorOf, openMachines, serverFor } from '../../real/tpm/machines.ts';
import { ensure } from '../case.ts';
import { wireId } from '../spire/server-unit.ts';
import { EACH_SERVER, type Suite } from '../spire/suite.ts';

/** Agents attest by the TPM of their machine, here swtpm, with a DevID key of either kind; again, when their data is lost. */
export const tpmDevId: Suite = {
  name: 'tpm-devid',
  run: async (site, pairing) => {
    const machines = await openMachines(site);
    const { tpm, authority } = machines;
    const server = await serverFor(site, pairing.server, machines);
    for (const kind of ['ecc', 'rsa'] as const) {
      const devId = await authority.provision(tpm, { kind, bare: pairing.agent === 'spire' });
      const agent = await site.agent(pairing.agent, server, { plugins: attestorOf(tpm.device, devId) });
      const id = server.id(`/spire/agent/tpm_devid/${devId.fingerprint}`);
      ensure((await server.agentIds()).includes(id), `${id} among ${await server.agentIds()}`);
      const found = await server.api.agent.getAgent({ id: wireId(id) }, { deadline: 10 });
      const selectors = found.selectors.map(({ value }) => value.replace(/[0-9a-f]{40}/, '<sha1>'));
      const expected = ['ca:fingerprint:<sha1>', 'issuer:cn:devid-ca', `subject:cn:${devId.commonName}`];
      ensure(`${selectors.toSorted()}` === `${expected.toSorted()}`, `selectors ${expected}, not ${selectors}`);
      await agent.process.stop();
      await rm(join(agent.dir, 'data'), { recursive: true });
      await agent.start();
      ensure((await tpm.residents()) === '', 'nothing is left in the TPM');
      await agent.process.stop();
    }
  },
};

/** What a liar with TPMs tries: SPIRE's server believes one that ours does not. */
export const tpmDevIdLies: Suite = {
  name: 'tpm-devid-lies',
  pairings: EACH_SERVER,
  run: async (site, pairing) => {
    const machines = await openMachines(site);
    const server = await serverFor(site, pairing.server, machines);
    for (const lie of lies) await tell(site, server, machines, lie);
    await replay(site, server, machines);
  },
};
