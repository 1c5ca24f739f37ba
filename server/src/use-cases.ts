import { LIFETIMES } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import { type CallMeter, type Metrics, measureCall, noMetrics } from '@steeple/daemon/metrics';
import type { Datastore, KeyManager, StoreChange } from '@steeple/plugins';
import { HealthState } from '@steeple/proto/grpc';
import type { TrustBundle } from '@steeple/spiffe';
import { toGrpcError } from './api/status.ts';
import { AgentPruning } from './app/agent-pruning.ts';
import { Agents } from './app/agents.ts';
import { AuthorizedEntries } from './app/authorized-entries.ts';
import { BundlePublishing } from './app/bundle-publishing.ts';
import { Bundles } from './app/bundles.ts';
import { CertificateAuthority } from './app/certificate-authority.ts';
import { ChangeFeed } from './app/change-feed.ts';
import { Entries } from './app/entries.ts';
import { BundleFollowing } from './app/federation/bundle-following.ts';
import { Federation } from './app/federation.ts';
import { JoinTokens } from './app/join-tokens.ts';
import { NodeAttestation } from './app/node-attestation.ts';
import { Pruning } from './app/pruning.ts';
import { type RandomBytes, random01 } from './app/randomness.ts';
import { RequestReader } from './app/request-reader.ts';
import { ServerIdentity } from './app/server-identity.ts';
import { SvidIssuance } from './app/svid-issuance.ts';
import { type Authorities, createAuthorities } from './authorities.ts';
import type { ServerConfig } from './config.ts';
import { measuredCa } from './metrics/measured-authorities.ts';
import { measuredDatastore } from './metrics/measured-datastore.ts';
import { createPlugin } from './plugins.ts';

/** Everything a server can do, ready to be done. */
export interface UseCases extends Authorities {
  readonly datastore: Datastore;
  readonly feed: ChangeFeed;
  readonly bundles: Bundles;
  readonly identity: ServerIdentity;
  readonly authorized: AuthorizedEntries;
  readonly entries: Entries;
  readonly agents: Agents;
  readonly joinTokens: JoinTokens;
  readonly attestation: NodeAttestation;
  readonly issuance: SvidIssuance;
  readonly federation: Federation;
  readonly following: BundleFollowing;
  readonly ca: CertificateAuthority;
  readonly publishing: BundlePublishing;
  readonly pruning: Pruning;
  /** Undefined: agents are remembered until they are evicted. */
  readonly agentPruning: AgentPruning | undefined;
  readonly health: HealthState;
  readonly startedAt: number;
}

export interface UseCaseParts {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly metrics: Metrics;
  /** PEM certificates of the authorities that the Web trusts. */
  readonly webRoots: () => readonly string[];
  readonly keys: KeyManager;
  readonly datastore: Datastore;
}

/** Builds the use cases in the order in which they need each other, and loads what they keep in memory. */
export const createUseCases = async (
  config: ServerConfig,
  parts: UseCaseParts,
  stack: AsyncDisposableStack,
): Promise<UseCases> => {
  const { clock, random, logger, metrics } = parts;
  const meter = meterOf(parts);
  const datastore = meter ? measuredDatastore(parts.datastore, meter) : parts.datastore;
  const { trustDomain } = config;
  const feed = new ChangeFeed();
  const bundles = new Bundles(trustDomain, datastore.bundles);
  const authorized = new AuthorizedEntries(trustDomain, feed, clock);
  const following = new BundleFollowing({
    store: datastore.federation,
    configured: config.federation.relationships,
    bundles,
    trust: { bundles, webRoots: parts.webRoots, now: () => clock.now() },
    random01: () => random01(random),
    clock,
    metrics,
    logger,
  });
  // Watch first, then load: nothing can fall between.
  stack.defer(datastore.watch((change) => follow(change, { bundles, authorized, feed, following })));
  await bundles.load();
  await measureCall({ metrics, clock }, 'entry.cache.reload', () => authorized.load(datastore.entries));

  const authorities = await createAuthorities(config, { ...parts, datastore, bundles, meter }, stack);
  const signer = new CertificateAuthority(authorities.active, bundles, clock, random, {
    ...config,
    witSvidTtl: LIFETIMES.witSvid,
  });
  const ca = meter ? measuredCa(signer, meter) : signer;
  await authorities.rotation.start();
  const identity = new ServerIdentity(trustDomain, ca, bundles, { clock, random, logger, meter });
  await identity.rotate();
  stack.defer(datastore.watch(({ bundles: { put } }) => put.length > 0 && identity.bundleChanged()));

  const host = { logger, clock, trustDomain, joinTokens: datastore.joinTokens, bundles, agents: datastore.agents };
  const verifiers = await Promise.all(
    config.plugins.nodeVerifiers.map((choice) => createPlugin('node-verifier', choice, host)),
  );
  const publishing = await openPublishing(config, bundles, { ...parts, datastore }, stack);
  const entries = new Entries(datastore.entries, clock, random);
  const requests = new RequestReader();
  stack.defer(() => requests.close());
  return {
    datastore,
    feed,
    bundles,
    ...authorities,
    identity,
    authorized,
    entries,
    agents: new Agents(datastore.agents),
    joinTokens: new JoinTokens(trustDomain, datastore.joinTokens, entries, clock, random),
    attestation: new NodeAttestation(trustDomain, verifiers, datastore.agents, ca, config),
    issuance: new SvidIssuance(ca, authorized, requests, { jwt: config.jwtEnabled, wit: config.witEnabled }),
    federation: new Federation({ trustDomain, store: datastore.federation, bundles, following, logger }),
    following,
    ca,
    publishing,
    pruning: new Pruning(datastore, bundles, { clock, logger, meter }),
    agentPruning:
      config.agentPruning &&
      new AgentPruning(datastore.agents, config.agentPruning, { clock, logger, random01: () => random01(random) }),
    health: new HealthState(),
    startedAt: clock.now(),
  };
};

/** The plugins that publish the bundle, each with the task of keeping it published. */
const openPublishing = async (
  { plugins, trustDomain }: ServerConfig,
  bundles: Bundles,
  { clock, logger, random, datastore }: UseCaseParts,
  stack: AsyncDisposableStack,
): Promise<BundlePublishing> => {
  const chosen = [
    ...plugins.bundlePublishers.map((choice) => ['bundle-publisher', choice] as const),
    ...plugins.notifiers.map((choice) => ['notifier', choice] as const),
  ];
  const publishers = await Promise.all(
    chosen.map(async ([kind, choice]) => {
      const publisher = await createPlugin(kind, choice, { logger, clock, trustDomain });
      stack.defer(() => publisher.close());
      return { name: choice.name, publisher };
    }),
  );
  const publishing = new BundlePublishing(bundles, publishers, { clock, logger, random01: () => random01(random) });
  const isOwn = (bundle: TrustBundle): boolean => bundle.trustDomain.equals(trustDomain);
  stack.defer(datastore.watch((change) => change.bundles.put.some(isOwn) && publishing.bundleChanged()));
  return publishing;
};

/** Undefined when nobody asks for numbers, so that then nothing is in the way of a call. */
const meterOf = ({ metrics, clock }: UseCaseParts): CallMeter | undefined =>
  metrics === noMetrics ? undefined : { metrics, clock, codeOf: (error) => toGrpcError(error).code };

/** Memory first, then the news, so that whoever asks on hearing it sees the new state. */
const follow = (
  change: StoreChange,
  to: {
    readonly bundles: Bundles;
    readonly authorized: AuthorizedEntries;
    readonly feed: ChangeFeed;
    readonly following: BundleFollowing;
  },
): void => {
  to.bundles.apply(change);
  to.authorized.apply(change);
  for (const bundle of change.bundles.put) {
    to.feed.bundleChanged(bundle);
    to.following.bundleChanged(bundle.trustDomain.name);
  }
  if (change.bundles.removed.length > 0) to.feed.resyncAll();
  for (const agent of change.agents.put) to.feed.agentChanged(agent);
  for (const id of change.agents.removed) to.feed.agentRemoved(id);
};
