import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Case, ensure } from '../../interop/case.ts';
import { type ServerUnit, wireId } from '../../interop/spire/server-unit.ts';
import { hcl } from '../../interop/spire/write-hcl.ts';
import type { Cluster } from './cluster.ts';
import { PsatWorld } from './psat-world.ts';

/** Agents that attest by k8s_psat, with tokens of real pods and with others. `cleanUp` ends what the cases share. */
export function psatCases(cluster: Cluster, cleanUp: AsyncDisposableStack): readonly Case[] {
  let started: Promise<PsatWorld> | undefined;
  const world = (): Promise<PsatWorld> => {
    started ??= PsatWorld.start(cluster).then((each) => cleanUp.use(each));
    return started;
  };
  return [
    {
      name: 'k8s_psat: our agent and SPIRE’s attest to both servers, which give them the same ID and the same selectors',
      run: async () => bothToBoth(await world()),
    },
    {
      name: 'k8s_psat: the server judges tokens by the keys of the cluster’s API, and by a file of them with nobody asked',
      run: async () => byKeys(await world()),
    },
    {
      name: 'k8s_psat: tokens that are expired, for others, forged, unbound, or outlived their pod are refused with the reason',
      run: async () => liesAreRefused(await world()),
    },
    {
      name: 'k8s_psat: a cluster comes and goes while the server runs',
      run: async () => clustersFollowTheirFile(await world()),
    },
  ];
}

const LABELS = { allowed_node_label_keys: ['kubernetes.io/hostname'], allowed_pod_label_keys: ['app'] };

async function bothToBoth(world: PsatWorld): Promise<void> {
  const pod = await world.pod('both');
  const found = new Map<string, string>();
  for (const server of ['steeple', 'spire'] as const) {
    const unit = await world.server(server, { clusters: { demo: world.settings(LABELS) } });
    for (const agent of ['steeple', 'spire'] as const) {
      const running = await world.attest(agent, unit, 'demo', await world.token(pod));
      found.set(`${agent}'s agent at ${server}'s server`, await described(unit));
      await running.process.stop();
    }
    // The same pod again, with a token that was shown already: attesting again is no replay.
    const token = await world.token(pod);
    for (let time = 0; time < 2; time += 1) {
      const again = await world.attest('steeple', unit, 'demo', token);
      await again.process.stop();
    }
    await unit.process.stop();
  }
  const node = await world.cluster.kubectl(['get', `node/${world.cluster.nodeName}`, '-o', 'jsonpath={.metadata.uid}']);
  const [first = ''] = found.values();
  for (const [who, text] of found)
    ensure(text === first, `the same of ${who} as of the others, not\n${text}\nbut\n${first}`);
  for (const part of [
    `/spire/agent/k8s_psat/demo/${node}`,
    `agent_pod_uid:${pod.metadata.uid}`,
    'agent_pod_label:app:both',
    `agent_node_label:kubernetes.io/hostname:${world.cluster.nodeName}`,
  ]) {
    ensure(first.includes(part), `${part} in:\n${first}`);
  }
}

async function byKeys(world: PsatWorld): Promise<void> {
  const pod = await world.pod('by-keys');
  const jwks = { token_validation: 'jwks' };
  const server = await world.server('steeple', {
    clusters: {
      api: world.settings(jwks),
      // Its kubeconfig leads nowhere: nobody is asked.
      file: world.settings({
        ...jwks,
        ...(await world.publishedKeys()),
        pod_lookup: false,
        kube_config_file: '/nowhere',
      }),
    },
  });
  for (const cluster of ['api', 'file']) {
    const agent = await world.attest('spire', server, cluster, await world.token(pod));
    const text = await described(server, cluster);
    ensure(text.includes(`agent_pod_uid:${pod.metadata.uid}`), `the pod in:\n${text}`);
    ensure(
      text.includes('agent_node_ip:') === (cluster === 'api'),
      `the node's address if it was looked up, in:\n${text}`,
    );
    await agent.process.stop();
  }
  await server.process.stop();
}

async function liesAreRefused(world: PsatWorld): Promise<void> {
  const pod = await world.pod('liar');
  const other = await world.pod('other', 'other');
  const gone = await world.pod('gone');
  const good = await world.token(pod);
  const outlived = await world.token(gone);
  await world.cluster.api.delete(gone);
  const jwks = { token_validation: 'jwks' };
  const offline = { ...jwks, ...(await world.publishedKeys()), pod_lookup: false };
  const server = await world.server('steeple', {
    clusters: { review: world.settings(), jwks: world.settings(jwks), offline: world.settings(offline) },
  });
  // The API forgives a minute.
  const past = Math.floor(Date.now() / 1000) - 120;
  const expired = await world.signed(good, { exp: past, iat: past - 600, nbf: past - 600 });
  const lies: readonly (readonly [token: string, reviewed: RegExp, byKeys: RegExp])[] = [
    [expired, /not authenticated.*expired/, /the token has expired/],
    [await world.token(pod, 'vault'), /not authenticated.*audience/, /another audience/],
    [await world.signed(good, {}, world.foreignKey()), /not authenticated/, /not signed by a key of the cluster/],
    [await world.signed(good, { iss: 'https://other' }), /not authenticated/, /another issuer/],
    [await world.token(undefined), /not bound to a pod/, /not bound to a pod/],
    [
      await world.token(other, 'spire-server', 'other'),
      /"psat:other" is not an allowed/,
      /"psat:other" is not an allowed/,
    ],
    [outlived, /not authenticated/, /pod "gone" does not exist any more/],
    ['no.to.ken', /not authenticated/, /not readable/],
  ];
  for (const [token, reviewed, byKeys] of lies) {
    await world.refusal('steeple', server, 'review', token, reviewed);
    await world.refusal('steeple', server, 'jwks', token, byKeys);
    // Nobody is asked whether the pod is still there.
    if (token !== outlived) await world.refusal('steeple', server, 'offline', token, byKeys);
  }
  await world.refusal('spire', server, 'review', expired, /not authenticated/);
  await world.refusal('steeple', server, 'elsewhere', good, /not configured for cluster/);
  const { agents } = await server.api.agent.listAgents({}, { deadline: 10 });
  ensure(agents.length === 0, `no agent, not ${agents.length}`);
  await server.process.stop();
}

async function clustersFollowTheirFile(world: PsatWorld): Promise<void> {
  const pod = await world.pod('follower');
  const file = join(world.site.dir, 'clusters.hcl');
  const write = (...names: string[]) =>
    writeFile(file, hcl({ clusters: Object.fromEntries(names.map((name) => [name, world.settings()])) }));
  await write('first');
  const server = await world.server('steeple', { clusters_file: file });
  const attest = async (cluster: string) => {
    const agent = await world.attest('steeple', server, cluster, await world.token(pod));
    await agent.process.stop();
  };
  await attest('first');
  const unknown = /not configured for cluster/;
  await world.refusal('steeple', server, 'second', await world.token(pod), unknown);
  await write('first', 'second');
  await attest('second');
  await writeFile(file, 'clusters {');
  await attest('second');
  await write('second');
  await world.refusal('steeple', server, 'first', await world.token(pod), unknown);
  await server.process.stop();
}

/** ID and selectors of the server's agent of that cluster, one a line. */
async function described(server: ServerUnit, cluster = 'demo'): Promise<string> {
  const { agents } = await server.api.agent.listAgents({}, { deadline: 10 });
  const agent = agents.find(({ id }) => id?.path.startsWith(`/spire/agent/k8s_psat/${cluster}/`));
  if (agent?.id === undefined) throw new Error(`no agent of ${cluster} among ${agents.length}`);
  const { selectors } = await server.api.agent.getAgent({ id: wireId(server.id(agent.id.path)) }, { deadline: 10 });
  return [agent.id.path, ...selectors.map(({ type, value }) => `${type}:${value}`).toSorted()].join('\n');
}
