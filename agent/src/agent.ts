import { type Clock, type Logger, TaskGroup } from '@steeple/daemon';
import { HealthState } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import type { TrustBundle } from '@steeple/spiffe';
import { serverFailure } from './api/server-failure.ts';
import { workloadHandlers } from './api/workload.ts';
import { WorkloadCalls } from './api/workload-calls.ts';
import { AgentIdentity } from './app/agent-identity.ts';
import { attestNode } from './app/attest-node.ts';
import { Bootstrap } from './app/bootstrap.ts';
import { CurrentSvid } from './app/current-svid.ts';
import { IdentityCache } from './app/identity-cache.ts';
import { JwtCache } from './app/jwt-cache.ts';
import { KnownState } from './app/known-state.ts';
import { loadTrust } from './app/load-trust.ts';
import { OpenStreams } from './app/open-streams.ts';
import { Push } from './app/push.ts';
import { ServerFaults } from './app/server-faults.ts';
import { ServerLink, type ServerTarget } from './app/server-link.ts';
import { Storage } from './app/storage.ts';
import { SvidRotation } from './app/svid-rotation.ts';
import { Sync } from './app/sync.ts';
import { WitCache } from './app/wit-cache.ts';
import { WorkloadAttestation } from './app/workload-attestation.ts';
import type { AgentConfig } from './config.ts';
import { WorkloadSocket } from './endpoints/workload-socket.ts';
import { loadPlugins } from './load-plugins.ts';
import { AGENT_VERSION } from './version.ts';

/** What an agent takes from the process around it. */
export interface AgentRim {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Random numbers in [0, 1); for jitter only. */
  readonly random?: () => number;
}

/** A running agent. */
export interface Agent {
  /**
   * Opens the socket, then gets an identity: from what an earlier run left, or by attestation, which is tried until the
   * server answers. The first synchronisation goes on in the background. Also resolves when the agent is stopped meanwhile.
   *
   * @throws {ConfigError | AgentStopped}
   */
  start(): Promise<void>;
  /** Resolves when the agent has been stopped; rejects with what made it stop by itself. */
  wait(): Promise<void>;
  /** Ends every stream with UNAVAILABLE and everything else. May be called at any time, and again. */
  stop(): Promise<void>;
  readonly health: { readonly live: boolean; readonly ready: boolean };
  readonly socketPath: string;
}

/** Seconds that one call to the server, and one workload attestor, may take. */
const CALL_TIMEOUT = 30;
const ATTESTOR_TIMEOUT = 5;
/** Seconds that single calls may still take when the agent stops. */
const GRACE = 2;

/** Puts an agent together. Nothing happens before `start`. */
export function createAgent(config: AgentConfig, rim: AgentRim): Agent {
  const { clock, logger, random = Math.random } = rim;
  const { trustDomain } = config;
  const now = () => clock.now();
  const stopping = new AbortController();
  const tasks = new TaskGroup(logger);
  const closing = new AsyncDisposableStack();
  const health = new HealthState({ '': false, [SpiffeWorkloadAPI.typeName]: false });
  let failed = false;
  let stopped: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    const signal = stopping.signal;
    const storage = new Storage(config.dataDir);
    const cache = new IdentityCache(trustDomain, now);
    const current = new CurrentSvid();
    const target: ServerTarget = { ...config.server, trustDomain, bundles: cache.bundles, now };
    const link = new ServerLink({ target, svid: current, logger, callTimeout: CALL_TIMEOUT });
    closing.defer(() => link.close());
    current.onChange(() => link.reconnect());

    const plugins = await loadPlugins(config, rim);
    closing.defer(() => plugins.keyManager.close());
    const acceptBundle = (bundle: TrustBundle) => cache.apply({ bundles: [bundle] });
    const identity = new AgentIdentity({
      current,
      keyManager: plugins.keyManager,
      storage,
      clock,
      random,
      logger,
      attest: (csr, signal) => attestNode(target, plugins.prover, csr, { signal, deadline: CALL_TIMEOUT }),
      renew: (csr, signal) => link.renewAgent(csr, signal),
      onBundle: acceptBundle,
      stillServing: () => cache.svidCount > 0,
    });
    const faults = new ServerFaults({ identity, link });
    const onServerError = (error: unknown, signal: AbortSignal) => faults.judge(error, signal);
    const jwts = new JwtCache({ server: link, clock, random, logger, ...config.jwtCache });
    const wits = new WitCache({ server: link, clock, random, logger });
    const known = new KnownState({ dataDir: config.dataDir, cache, storage, logger });
    const sync = new Sync({
      cache,
      server: link,
      clock,
      random,
      logger,
      interval: config.syncInterval,
      onServerError,
      onSynced: () => {
        for (const name of health.services()) health.set(name, true);
      },
    });
    cache.onWork(() => {
      jwts.retainEntries(cache.entries);
      jwts.retainKeys(trustedKids(cache.ownBundle));
      wits.retainEntries(cache.entries);
      known.changed();
    });

    const attestation = new WorkloadAttestation({
      attestors: plugins.attestors,
      clock,
      logger,
      timeout: ATTESTOR_TIMEOUT,
    });
    const streams = new OpenStreams(clock);
    const socket = await WorkloadSocket.listen({
      path: config.socketPath,
      health,
      clock,
      logger,
      handlers: (peerOf) =>
        workloadHandlers({
          calls: new WorkloadCalls({ cache, attestation, streams, peerOf }),
          jwts,
          wits,
          clock,
          settings: config,
          serverFailure: (error) => {
            faults.report(error);
            return serverFailure(error);
          },
        }),
    });
    closing.defer(() => socket.close(GRACE));
    logger.info('Serving the Workload API', { socket: config.socketPath });

    await known.restore();
    const source = config.trust;
    const bootstrap = new Bootstrap({
      trustDomain,
      storage,
      identity,
      source,
      loadTrust: (source, signal) => loadTrust(source, { ...config.server, trustDomain }, signal),
      onBundle: acceptBundle,
      clock,
      random,
      logger,
    });
    await bootstrap.run(signal);
    known.changed();

    const rotation = new SvidRotation({
      cache,
      server: link,
      clock,
      random,
      logger,
      keyType: config.workloadKeyType,
      availabilityTarget: config.availabilityTarget,
      onServerError,
      onStaleEntries: () => sync.nudge(),
    });
    const push = new Push({ server: link, sync, clock, random, logger, onServerError });
    tasks.run('known-state', (signal) => known.run(signal));
    tasks.run('faults', (signal) => faults.run(signal));
    tasks.run('streams', (signal) => streams.run(signal));
    tasks.run('identity', (signal) => identity.run(signal));
    tasks.run('rotation', (signal) => rotation.run(signal));
    tasks.run('push', (signal) => push.run(signal));
    tasks.run('sync', (signal) => sync.run(signal));
    link
      .postStatus(AGENT_VERSION, signal)
      .catch((error: unknown) => logger.debug('Could not post the status', { error }));
    logger.info('Agent started', { agent: current.x509Svid().id.toString(), server: config.server.host });
  };

  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      stopping.abort(new Error('the agent was stopped'));
      for (const name of health.services()) health.set(name, false);
      await tasks.stop();
      await closing.disposeAsync();
    })();
    return stopped;
  };

  return {
    socketPath: config.socketPath,
    start: async () => {
      try {
        await start();
      } catch (error) {
        const wanted = stopping.signal.aborted;
        failed = !wanted;
        await stop();
        if (!wanted) throw error;
      }
    },
    wait: async () => {
      try {
        await tasks.wait();
      } catch (error) {
        failed = true;
        throw error;
      } finally {
        await stop();
      }
    },
    stop,
    health: {
      get live() {
        return !failed;
      },
      get ready() {
        return health.get('') === true;
      },
    },
  };
}

function trustedKids(bundle: TrustBundle): ReadonlySet<string> {
  return new Set(bundle.jwtAuthorities.filter(({ tainted }) => !tainted).map(({ kid }) => kid));
}
