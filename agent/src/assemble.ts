import type { Clock, Logger, TaskGroup } from '@steeple/daemon';
import { type CallMeter, type Metrics, measureCall } from '@steeple/daemon/metrics';
import type { HealthState } from '@steeple/proto/grpc';
import type { TokenAuthority, TrustBundle } from '@steeple/spiffe';
import { AgentIdentity } from './app/agent-identity.ts';
import { attestNode } from './app/attest-node.ts';
import { Bootstrap } from './app/bootstrap.ts';
import { BundleReport } from './app/bundle-report.ts';
import { CurrentSvid } from './app/current-svid.ts';
import { IdentityCache } from './app/identity-cache.ts';
import { JwtCache } from './app/jwt-cache.ts';
import { KnownState } from './app/known-state.ts';
import { loadTrust } from './app/load-trust.ts';
import { OpenStreams } from './app/open-streams.ts';
import { Push } from './app/push.ts';
import { Rebootstrap } from './app/rebootstrap.ts';
import { ServerFaults } from './app/server-faults.ts';
import { ServerLink, type ServerTarget } from './app/server-link.ts';
import { ServerTrust } from './app/server-trust.ts';
import { Storage } from './app/storage.ts';
import { StoredSvids } from './app/stored-svids.ts';
import { SvidRotation } from './app/svid-rotation.ts';
import { Sync } from './app/sync.ts';
import { fetchPresentedChain } from './app/unverified-bundle.ts';
import { WitCache } from './app/wit-cache.ts';
import { WorkloadAttestation } from './app/workload-attestation.ts';
import type { AgentConfig } from './config.ts';
import type { AgentPlugins } from './load-plugins.ts';
import { measuredKeyManager } from './metrics/measured-plugins.ts';
import { measuredServer } from './metrics/measured-server.ts';
import { renewalReporter, stateReporter } from './metrics/report-state.ts';
import { AGENT_VERSION } from './version.ts';

export interface AssembleParts {
  readonly config: AgentConfig;
  readonly plugins: AgentPlugins;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly health: HealthState;
  readonly metrics: Metrics;
}

/** The parts of an agent that its life is made of. */
export interface Assembled {
  readonly current: CurrentSvid;
  readonly link: ServerLink;
  readonly known: KnownState;
  readonly bootstrap: Bootstrap;
  readonly rebootstrap: Rebootstrap;
  readonly cache: IdentityCache;
  readonly attestation: WorkloadAttestation;
  readonly streams: OpenStreams;
  readonly jwts: JwtCache;
  readonly wits: WitCache;
  readonly sync: Sync;
  readonly faults: ServerFaults;
  /** Starts what goes on for as long as the agent lives; stopped in reverse. */
  readonly run: (tasks: TaskGroup) => void;
}

/** Seconds that one call to the server, and one workload attestor, may take. */
const CALL_TIMEOUT = 30;
const ATTESTOR_TIMEOUT = 5;

/** Makes everything in order, each with what it needs; nothing happens yet. */
export function assemble({ config, plugins, health, metrics, ...rim }: AssembleParts): Assembled {
  const { clock, logger } = rim;
  const meter: CallMeter = { metrics, clock };
  const { trustDomain, dataDir } = config;
  const now = () => clock.now();
  const cache = new IdentityCache(trustDomain, now, {
    maxSize: config.x509CacheSize,
    stores: new Set(config.svidStores.map(({ name }) => name)),
  });
  const current = new CurrentSvid();
  const trust = new ServerTrust(cache.bundles);
  const target: ServerTarget = { ...config.server, trustDomain, bundles: trust, now };
  const link = new ServerLink({ target, svid: current, logger, callTimeout: CALL_TIMEOUT });
  const measured = measuredServer(link, meter, renewalReporter(metrics, cache));
  current.onChange(() => link.reconnect());

  const storage = new Storage(dataDir);
  const known = new KnownState({ dataDir, cache, storage, clock, logger });
  const onBundle = (bundle: TrustBundle) => cache.apply({ bundles: [bundle] });
  const identity = new AgentIdentity({
    ...rim,
    current,
    storage,
    onBundle,
    keyManager: measuredKeyManager(plugins.keyManager, meter),
    attest: (csr, signal) => {
      const work = () => attestNode(target, plugins.prover, csr, { signal, deadline: CALL_TIMEOUT });
      return measureCall(meter, 'node.attestor.new_svid', work, { attestor: plugins.prover.type });
    },
    renew: measured.renewAgent,
    stillServing: () => cache.svidCount > 0,
  });
  const place = { ...config.server, trustDomain };
  const rebootstrap = new Rebootstrap({
    ...rim,
    ...config.rebootstrap,
    target,
    trust,
    identity,
    storage,
    presentedChain: (signal) => fetchPresentedChain(place, signal),
    loadTrust: (attempts, signal) =>
      loadTrust(config.trust, { ...place, attempt: { ...attempts, mode: 'rebootstrap' } }, signal),
    onRebootstrapped: () => cache.renewAll(),
  });
  const bootstrap = new Bootstrap({
    ...rim,
    trustDomain,
    storage,
    identity,
    // Keys of tokens, known from the last run, stay: the first contact is about certificates only.
    onTrust: ({ x509Authorities }) => onBundle(cache.ownBundle.with({ x509Authorities })),
    onDistrust: (error, signal) => rebootstrap.judge(error, signal),
    source: config.trust,
    loadTrust: (source, attempts, signal) =>
      loadTrust(source, { ...place, attempt: { ...attempts, mode: 'bootstrap' } }, signal),
  });

  const faults = new ServerFaults({ identity, link, rebootstrap });
  const server = { ...rim, server: link, onServerError: (e: unknown, signal: AbortSignal) => faults.judge(e, signal) };
  const jwts = new JwtCache({ ...server, ...config.jwtCache, onChange: () => report() });
  const wits = new WitCache(server);
  const sync = new Sync({
    ...server,
    server: { ...measured, bundle: link.bundle.bind(link), federatedBundle: link.federatedBundle.bind(link) },
    cache,
    interval: config.syncInterval,
    announced: () => push.live,
    onSynced: () => {
      setServing(health, true);
      rotation.serverAnswered();
      rebootstrap.succeeded().catch((error: unknown) => logger.warn('Could not note that all is well', { error }));
    },
  });
  const push = new Push({ ...server, sync });
  const rotation = new SvidRotation({
    ...server,
    server: measured,
    cache,
    keyType: config.workloadKeyType,
    availabilityTarget: config.availabilityTarget,
    onStaleEntries: () => sync.nudge(),
  });
  const report = stateReporter(metrics, cache, jwts);
  cache.onWork(() => {
    report();
    jwts.retainEntries(cache.entries);
    jwts.retainKeys(trustedKids(cache.ownBundle.jwtAuthorities));
    wits.retainEntries(cache.entries);
    wits.retainKeys(trustedKids(cache.ownBundle.witAuthorities));
    known.changed();
  });

  const bundleReport = new BundleReport({ ...rim, cache, current, identity, server: link, version: AGENT_VERSION });
  const stored = new StoredSvids({ ...rim, stores: plugins.stores, cache, dataDir });
  const attestation = new WorkloadAttestation({
    ...rim,
    meter,
    attestors: plugins.attestors,
    couldMatter: (known, types) => cache.couldMatter(known, types),
    timeout: ATTESTOR_TIMEOUT,
  });
  const streams = new OpenStreams(clock);
  return {
    current,
    link,
    known,
    bootstrap,
    rebootstrap,
    cache,
    attestation,
    streams,
    jwts,
    wits,
    sync,
    faults,
    run: (tasks) => {
      tasks.run('known state', (signal) => known.run(signal));
      tasks.run('server faults', (signal) => faults.run(signal));
      tasks.run('open streams', (signal) => streams.run(signal));
      tasks.run('bundle report', (signal) => bundleReport.run(signal));
      tasks.run('agent identity', (signal) => identity.run(signal));
      tasks.run('svid rotation', (signal) => rotation.run(signal));
      if (plugins.stores.size > 0) tasks.run('stored svids', (signal) => stored.run(signal));
      tasks.run('push', (signal) => push.run(signal));
      tasks.run('sync', (signal) => sync.run(signal));
    },
  };
}

/** What the health service says of the agent as a whole and of the Workload API. */
export function setServing(health: HealthState, serving: boolean): void {
  for (const service of health.services()) health.set(service, serving);
}

function trustedKids(authorities: readonly TokenAuthority[]): ReadonlySet<string> {
  return new Set(authorities.filter(({ tainted }) => !tainted).map(({ kid }) => kid));
}
