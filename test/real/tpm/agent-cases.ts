import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import { type Case, ensure } from '../../interop/case.ts';
import type { AgentUnit } from '../../interop/spire/agent-unit.ts';
import { eventually, hasX509 } from '../../interop/spire/checks.ts';
import { attest, remoteApi } from '../../interop/spire/remote.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import type { Site } from '../../interop/spire/site.ts';
import type { Block } from '../../interop/spire/write-hcl.ts';
import { Process } from '../../stack/process.ts';
import { needPrograms } from '../debian-packages.ts';
import type { DevIdOptions, ProvisionedDevId } from './device-id.ts';
import { attestorOf, type Machines, newTpm } from './machines.ts';
import { prepare, proofOf } from './proof.ts';
import type { Swtpm } from './swtpm.ts';

export interface Place {
  readonly site: Site;
  readonly machines: Machines;
  readonly server: ServerUnit;
}

const self = `unix:uid:${process.getuid?.()}`;

/** What an agent of ours does at its TPM, as a process, up to a workload's SVID. */
export function agentCases(place: Place): readonly Case[] {
  const { site, machines, server } = place;
  const { tpm, authority, vendor, folder } = machines;
  const attested = async (at: Swtpm, options: DevIdOptions = {}, device = at.device, more: Block = {}) => {
    const devId = await authority.provision(at, options);
    const agent = await site.agent('steeple', server, { plugins: attestorOf(device, devId, more) });
    await hasIdentity(server, agent, devId);
    await agent.process.stop();
    ensure((await at.residents()) === '', `nothing is left in the TPM: ${await at.residents()}`);
  };
  return [
    { name: 'an agent attests by an ECC key, a workload has its SVID', run: () => attested(tpm) },
    { name: 'an agent attests by an RSA key, a workload has its SVID', run: () => attested(tpm, { kind: 'rsa' }) },
    {
      name: 'an agent reaches a TPM over TCP',
      run: async () => attested(await newTpm(site, join(folder, 'tcp'), vendor, { port: await freePort() })),
    },
    {
      name: 'an agent reaches a TPM through a character device',
      run: async () => {
        await needPrograms(['socat'], ['socat']);
        const device = join(folder, 'device');
        const terminal = `PTY,link=${device},rawer,wait-slave`;
        const devId = await authority.provision(tpm);
        const line = site.watch(new Process('socat', 'socat', [terminal, `UNIX-CONNECT:${tpm.socket}`]));
        await eventually('the device', async () => (await readdir(folder)).includes('device') || undefined);
        const agent = await site.agent('steeple', server, { plugins: attestorOf(device, devId) });
        await hasIdentity(server, agent, devId);
        await agent.process.stop();
        await line.stop();
      },
    },
    {
      name: 'an agent has the passwords of its TPM, and tries a wrong one once',
      run: async () => {
        const locked = await newTpm(site, join(folder, 'locked'), vendor);
        await locked.tool('changeauth', '-c', 'o', 'of-owner');
        await locked.tool('changeauth', '-c', 'e', 'of-endorsement');
        const passwords = {
          owner_hierarchy_password: 'of-owner',
          endorsement_hierarchy_password: 'of-endorsement',
          devid_password: 'of-key',
        };
        const options = { ownerPassword: 'of-owner', keyPassword: 'of-key' };
        await attested(locked, options, locked.device, passwords);
        const devId = await authority.provision(locked, options);
        const before = await failures(locked);
        const wrong = { ...passwords, devid_password: 'wrong-one' };
        const agent = await site.idleAgent('steeple', server, { plugins: attestorOf(locked.device, devId, wrong) });
        const started = await agent.launch();
        await started.line(/TPM2_Certify failed: wrong password/);
        await started.stop();
        ensure(!started.output.includes('wrong-one'), 'the password is in no message');
        ensure((await failures(locked)) - before <= 1, 'the TPM counts one failure at most');
        ensure((await locked.residents()) === '', 'nothing is left in the TPM');
      },
    },
    {
      name: 'an agent attests after its TPM was switched off and on',
      run: async () => {
        const devId = await authority.provision(tpm);
        await tpm.stop();
        await tpm.start();
        const agent = await site.agent('steeple', server, { plugins: attestorOf(tpm.device, devId) });
        await hasIdentity(server, agent, devId);
        await agent.process.stop();
      },
    },
    {
      name: "an agent with another TPM's key says so",
      run: async () => {
        const devId = await authority.provision(machines.neighbour);
        await says(
          place,
          tpm.device,
          devId,
          /TPM2_Load failed: the integrity check failed: the data was made for another/,
        );
      },
    },
    {
      name: 'an agent whose TPM nobody endorsed says so',
      run: async () => {
        const bare = await newTpm(site, join(folder, 'bare'), vendor, { unendorsed: true });
        await says(
          place,
          bare.device,
          await authority.provision(bare),
          /no endorsement certificate at NV index 0x01c00002/,
        );
      },
    },
    {
      name: 'an agent whose TPM is switched off says so',
      run: async () => {
        const off = await newTpm(site, join(folder, 'off'), vendor);
        const devId = await authority.provision(off);
        await off.stop();
        await says(place, off.device, devId, /the TPM at .* cannot be used/);
      },
    },
    {
      name: 'twenty attestations leave nothing in the TPM and no descriptor open',
      run: async () => {
        const stranger = await remoteApi(site, server);
        const once = async () => attest(stranger, proofOf(await prepare(tpm, machines.devId)));
        await once();
        const before = (await readdir('/proc/self/fd')).length;
        for (let count = 0; count < 20; count += 1) await once();
        ensure((await tpm.residents()) === '', 'nothing is left in the TPM');
        const after = (await readdir('/proc/self/fd')).length;
        ensure(after <= before + 2, `descriptors: ${before} before, ${after} after`);
      },
    },
  ];
}

async function hasIdentity(server: ServerUnit, agent: AgentUnit, devId: ProvisionedDevId): Promise<void> {
  const parent = server.id(`/spire/agent/tpm_devid/${devId.fingerprint}`);
  const ids = await server.agentIds();
  ensure(ids.includes(parent), `${parent} among ${ids}`);
  await server.createEntry(server.id('/workload'), parent, [self]);
  await hasX509(agent, server.id('/workload'));
}

/** That an agent does not attest, and why. */
async function says({ site, server }: Place, device: string, devId: ProvisionedDevId, reason: RegExp): Promise<void> {
  const agent = await site.idleAgent('steeple', server, { plugins: attestorOf(device, devId) });
  const started = await agent.launch();
  await started.line(reason);
  await started.stop();
  ensure(!(await server.agentIds()).some((id) => id.includes(devId.fingerprint)), 'it did not attest');
}

/** How many wrong passwords the TPM has counted. */
async function failures(tpm: Swtpm): Promise<number> {
  const properties = await tpm.tool('getcap', 'properties-variable');
  return Number.parseInt(/TPM2_PT_LOCKOUT_COUNTER: (0x[0-9A-Fa-f]+)/.exec(properties)?.[1] ?? 'none');
}
