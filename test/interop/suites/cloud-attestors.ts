import { ensure } from '../case.ts';
import {
  awsAtSpire,
  awsCloud,
  azureAtSpire,
  azureCloud,
  azureIdentity,
  type Cloud,
  gcpCloud,
} from '../spire/clouds.ts';
import { daemon, type Maker } from '../spire/maker.ts';
import { type ServerUnit, wireId } from '../spire/server-unit.ts';
import { serving } from '../spire/serving.ts';
import type { Site } from '../spire/site.ts';
import type { Pairing, Suite } from '../spire/suite.ts';

/**
 * A node of each cloud attests once: refused is the second time, until the agent is deleted. Providers are stand-ins; where
 * SPIRE's programs have an address built in, a web proxy leads them there.
 */
export const cloudAttestors: readonly Suite[] = [
  suite('aws-iid', awsCloud),
  suite('gcp-iit', gcpCloud),
  suite('azure-imds', azureCloud),
  suite('azure-msi', azureIdentity),
  distrust('aws-iid', awsAtSpire, /failed verification of instance identity cryptographic signature/),
  distrust('azure-imds', azureAtSpire, /certificate signed by unknown authority/),
];

function suite(name: string, open: (site: Site, pairing: Pairing) => Promise<Cloud>): Suite {
  return { name, run: async (site, pairing) => attestsOnce(site, pairing, await open(site, pairing)) };
}

/**
 * What SPIRE's server says to a node whose cloud is a stand-in, from either agent: it reads all of the proof, and lacks
 * nothing but the trust in who signed it, which is built in.
 */
function distrust(name: string, open: (site: Site, pairing: Pairing) => Promise<Cloud>, reason: RegExp): Suite {
  const run = async (site: Site, pairing: Pairing): Promise<void> => {
    const cloud = await open(site, pairing);
    const plugins = { NodeAttestor: { join_token: {}, [cloud.attestor]: cloud.server } };
    const server = await site.server('spire', { plugins, env: cloud.proxy.env });
    const agent = await launch(site, pairing.agent, server, cloud);
    await agent.process.line(reason);
    ensure((await server.agentIds()).length === 0, 'who is not trusted is no agent');
  };
  const pairings: readonly Pairing[] = (['steeple', 'spire'] as const).map((agent) => ({ server: 'spire', agent }));
  return { name: `${name} of a stand-in`, pairings, run };
}

async function attestsOnce(site: Site, pairing: Pairing, cloud: Cloud): Promise<void> {
  const plugins = { NodeAttestor: { join_token: {}, [cloud.attestor]: cloud.server } };
  const server = await site.server(pairing.server, { plugins, env: cloud.proxy.env });
  const id = server.id(`/spire/agent/${cloud.attestor}/${cloud.path}`);
  const first = await launch(site, pairing.agent, server, cloud);
  await serving(first.process, first.socket);
  ensure((await server.agentIds()).join() === id, `the only agent is ${id}, not ${await server.agentIds()}`);
  const { selectors, canReattest } = await server.api.agent.getAgent({ id: wireId(id) }, { deadline: 10 });
  const found = selectors.map(({ value }) => value).sort();
  ensure(found.join() === [...cloud.selectors].sort().join(), `selectors ${cloud.selectors}, not ${found}`);
  ensure(selectors.every(({ type }) => type === cloud.attestor) && !canReattest, 'of its type, and good once');
  const entry = server.id('/workload');
  await server.createEntry(entry, id, [`unix:uid:${process.getuid?.()}`]);

  const second = await launch(site, pairing.agent, server, cloud);
  await second.process.line(/attestation data has already been used to attest an agent/);
  await server.api.agent.deleteAgent({ id: wireId(id) }, { deadline: 10 });
  const third = await launch(site, pairing.agent, server, cloud);
  await serving(third.process, third.socket);
}

async function launch(site: Site, maker: Maker, server: ServerUnit, cloud: Cloud) {
  const plugins = { NodeAttestor: { [cloud.attestor]: cloud.agent } };
  const unit = await site.idleAgent(maker, server, { plugins });
  const env = { ...process.env, ...cloud.proxy.env };
  return { process: site.start(`${maker}-agent`, await daemon(maker, 'agent', unit.config), env), socket: unit.socket };
}
