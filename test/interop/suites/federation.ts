import { Code, GrpcError } from '@steeple/proto/grpc';
import { ensure } from '../case.ts';
import type { AgentUnit } from '../spire/agent-unit.ts';
import { eventually, fetchX509, hasX509, serials } from '../spire/checks.ts';
import {
  type FederatedServer,
  federatedServer,
  follow,
  known,
  refresh,
  rootsOf,
  WebAuthority,
} from '../spire/federated-server.ts';
import { handshake } from '../spire/handshake.ts';
import type { Maker } from '../spire/maker.ts';
import type { Site } from '../spire/site.ts';
import type { Pairing, Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

interface Domain extends FederatedServer {
  readonly agent: AgentUnit;
  readonly id: string;
}

/** Three trust domains: of the pairing, of the other makers, and of the pairing again, its bundle published to the Web. */
async function open(site: Site, { server, agent }: Pairing, web: WebAuthority): Promise<readonly Domain[]> {
  const other = (maker: Maker): Maker => (maker === 'spire' ? 'steeple' : 'spire');
  const start = async (name: string, makers: Pairing, profile: 'https_spiffe' | 'https_web'): Promise<Domain> => {
    const published = await federatedServer(site, makers.server, name, { profile, web });
    const unit = await site.agent(makers.agent, published.server);
    return { ...published, agent: unit, id: published.server.id('/work') };
  };
  return [
    await start('one.test', { server, agent }, 'https_spiffe'),
    await start('two.test', { server: other(server), agent: other(agent) }, 'https_spiffe'),
    await start('three.test', { server, agent }, 'https_web'),
  ];
}

const othersOf = (domains: readonly Domain[], one: Domain): Domain[] => domains.filter((domain) => domain !== one);

/** Every workload with every other, each with the bundles that its own agent gave it. */
async function allMeet(domains: readonly Domain[]): Promise<void> {
  const parties = await Promise.all(domains.map(({ agent, id }) => fetchX509(agent, id)));
  for (const one of parties) {
    for (const other of parties) {
      if (one === other) continue;
      await handshake({ ...one, bundles: one.context.bundles }, { ...other, bundles: other.context.bundles });
    }
  }
}

/** Until the workloads of the other domains know so many roots of this one. */
async function knownToWorkloads(domains: readonly Domain[], one: Domain, roots: number): Promise<void> {
  for (const { agent, id } of othersOf(domains, one)) {
    await eventually(`${id} knows ${roots} roots of ${one.server.trustDomain.name}`, async () => {
      const { context } = await fetchX509(agent, id);
      return serials(context.bundles.get(one.server.trustDomain)).length === roots ? true : undefined;
    });
  }
}

/** The serial number under which the server knows its only agent. */
async function agentSerial({ server }: Domain): Promise<string> {
  const { agents } = await server.api.agent.listAgents({}, { deadline: 10 });
  return agents[0]?.x509svidSerialNumber ?? '';
}

async function replaceRoot(domains: readonly Domain[], one: Domain): Promise<void> {
  const { authority } = one.server.api;
  const options = { deadline: 20 };
  const { active } = await authority.getX509AuthorityState({}, options);
  const { svid } = await fetchX509(one.agent, one.id);
  const serial = await agentSerial(one);
  const { preparedAuthority } = await authority.prepareX509Authority({}, options);
  for (const other of othersOf(domains, one)) await refresh(other, one);
  await knownToWorkloads(domains, one, 2);
  await allMeet(domains);
  await authority.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? '' }, options);
  await authority.taintX509Authority({ authorityId: active?.authorityId ?? '' }, options);
  await eventually(`${one.id} has a certificate of the new authority`, async () => {
    const now = await fetchX509(one.agent, one.id);
    return now.svid.leaf.serialHex === svid.leaf.serialHex ? undefined : true;
  });
  await eventually(`the agent of ${one.server.trustDomain.name} has one too`, async () =>
    (await agentSerial(one)) === serial ? undefined : true,
  );
  await allMeet(domains);
  await authority.revokeX509Authority({ authorityId: active?.authorityId ?? '' }, options);
  for (const other of othersOf(domains, one)) await refresh(other, one);
  await knownToWorkloads(domains, one, 1);
  await allMeet(domains);
}

/**
 * Stronger than SPIRE's `ghostunnel-federation`: three domains of both makers in both profiles, all pairs of workloads in
 * mutual handshakes judged by OpenSSL, while every root is replaced and taken away, and servers and agents restart.
 */
export const federation: Suite = {
  name: 'federation',
  run: async (site, pairing) => {
    const web = await WebAuthority.create(site.dir);
    await web.renew('localhost');
    const domains = await open(site, pairing, web);
    for (const one of domains) {
      const federatesWith = othersOf(domains, one).map(({ server }) => server.trustDomain.name);
      for (const other of othersOf(domains, one)) await follow(one, other);
      // By the Web nothing is known before the first fetch, and entries need the bundle.
      for (const other of othersOf(domains, one)) await refresh(one, other);
      await one.server.createEntry(one.id, one.agent.id, [self], { federatesWith });
    }
    for (const { agent, id } of domains) await hasX509(agent, id);
    for (const one of domains) await knownToWorkloads(domains, one, 1);
    await allMeet(domains);
    for (const one of domains) await replaceRoot(domains, one);
    for (const { server, agent } of domains) {
      await server.restart();
      await allMeet(domains);
      await agent.restart();
    }
    for (const { agent, id } of domains) await hasX509(agent, id);
    await allMeet(domains);
    for (const one of domains) {
      for (const other of othersOf(domains, one)) {
        await refresh(one, other);
        const own = await other.server.api.bundle.getBundle({}, { deadline: 10 });
        ensure(rootsOf(await known(one, other)) === rootsOf(own), 'every server knows the others as they are');
      }
    }
  },
};

const refusal = (asked: Promise<unknown>): Promise<GrpcError | undefined> =>
  asked.then(
    () => undefined,
    (error: unknown) => (error instanceof GrpcError ? error : Promise.reject(error)),
  );

/** What a server takes for the endpoint of another trust domain, and what not. */
export const bundleEndpoints: Suite = {
  name: 'bundle-endpoints',
  pairings: [
    { server: 'steeple', agent: 'spire' },
    { server: 'spire', agent: 'steeple' },
    { server: 'steeple', agent: 'steeple' },
  ],
  // The second maker is that of the publishing server; there are no agents.
  run: async (site, { server: reader, agent: publisher }) => {
    const web = await WebAuthority.create(site.dir);
    await web.renew('localhost');
    const spiffe = await federatedServer(site, publisher, 'spiffe.test', { profile: 'https_spiffe', web });
    const site2 = await federatedServer(site, publisher, 'web.example', { profile: 'https_web', web });
    const one = await federatedServer(site, reader, 'one.test', {
      profile: 'https_spiffe',
      web,
      follows: [spiffe, site2],
    });

    // Configured, no bundle yet: by the Web it comes by itself, by SPIFFE it must be set.
    await eventually('the bundle comes by the Web', async () => (await known(one, site2)).x509Authorities.length === 1);
    const early = await refusal(refresh(one, spiffe));
    ensure(early?.code === Code.INTERNAL, `Internal without a bundle, not ${early?.code}`);
    ensure(
      early.message.endsWith(
        "failed to refresh bundle: can't perform SPIFFE Authentication: local copy of bundle not found",
      ),
      `the usual words, not "${early.message}"`,
    );
    const bundle = await spiffe.server.api.bundle.getBundle({}, { deadline: 10 });
    await one.server.api.bundle.batchSetFederatedBundle({ bundle: [bundle] }, { deadline: 10 });
    await refresh(one, spiffe);

    // A renewed certificate is served without a restart, and one for another name is not believed.
    await web.renew('elsewhere.test');
    await eventually('a certificate for another name is refused', async () =>
      (await refusal(refresh(one, site2)))?.code === Code.INTERNAL ? true : undefined,
    );
    ensure((await known(one, site2)).x509Authorities.length === 1, 'the last good bundle stays');
    await web.renew('localhost');
    await eventually('a good certificate is believed again', async () =>
      (await refusal(refresh(one, site2))) === undefined ? true : undefined,
    );
    const stranger = await refusal(
      one.server.api.trustDomain.refreshBundle({ trustDomain: 'x.test' }, { deadline: 10 }),
    );
    ensure(stranger?.code === Code.NOT_FOUND, `NotFound without a relationship, not ${stranger?.code}`);
  },
};
