import { dirname } from 'node:path';
import { type Authorizer, authorizeMatching } from '@steeple/client/tls';
import { longestUncutTtl } from '@steeple/core';
import {
  aboutSetting,
  type Clock,
  checkSocketDirectory,
  claimDataDir,
  ensureDir,
  type Logger,
  removeStaleSocket,
  systemClock,
  TaskGroup,
} from '@steeple/daemon';
import { type GrpcHost, UnixListener } from '@steeple/daemon/listen';
import { systemWebRoots } from './app/federation/connect-endpoint.ts';
import { followUpstreamTrust } from './app/follow-upstream.ts';
import { type RandomBytes, systemRandom } from './app/randomness.ts';
import type { ServerConfig } from './config.ts';
import { localHost, remoteHost, type ServeParts } from './endpoints/serve.ts';
import { TlsListener } from './endpoints/tls-listener.ts';
import { handlersOf } from './handlers.ts';
import { createPlugin } from './plugins.ts';
import { openSidePorts, type SidePorts, serverTelemetry } from './side-ports.ts';
import { createUseCases, type UseCaseParts, type UseCases } from './use-cases.ts';

/** What a process gives its server; tests replace it. */
export interface ServerRim {
  readonly clock?: Clock;
  readonly logger: Logger;
  readonly random?: RandomBytes;
  /** PEM certificates of the authorities that vouch for web servers; the machine's own when absent. */
  readonly webRoots?: () => readonly string[];
}

/** Where a running server listens. */
export interface ServerAddresses extends SidePorts {
  readonly host: string;
  readonly port: number;
  readonly socketPath: string;
}

export interface Server extends AsyncDisposable {
  /** Resolves when both listeners accept. @throws {ConfigError} when it cannot run with what it was given */
  start(): Promise<void>;
  /** Resolves when the server has stopped; rejects with what ended it. */
  wait(): Promise<void>;
  /** Ends calls and connections, then closes what is open. May be called again. */
  stop(): Promise<void>;
  /** Known once started. */
  readonly addresses: ServerAddresses;
}

/** Seconds that running calls get when the server stops. */
const GRACE = 5;

/** Puts a server together; nothing is opened before `start`. */
export const createServer = (config: ServerConfig, rim: ServerRim): Server => {
  const { logger, clock = systemClock, random = systemRandom, webRoots = systemWebRoots } = rim;
  const stack = new AsyncDisposableStack();
  const tasks = new TaskGroup(logger);
  let addresses: ServerAddresses | undefined;
  let stopping: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    stack.use(await aboutSetting('server.data_dir', () => claimDataDir(config.dataDir, 'server')));
    await aboutSetting('server.socket_path', () => claimSocket(config.socketPath));
    const telemetry = stack.use(serverTelemetry(config, { logger, clock }, () => use));
    const { metrics } = telemetry;
    const use = await openUseCases(config, { logger, clock, random, webRoots, metrics }, stack);
    const serve = serveParts(config, use, { logger, clock, meter: telemetry.middleware() });
    const [local, remote] = [localHost(serve), remoteHost(serve)];
    stack.defer(() => drain(local, remote));
    const tls = await TlsListener.listen({
      host: remote,
      address: config.bindAddress,
      port: config.bindPort,
      trustedProxies: config.trustedProxies,
      requirePqKem: config.requirePqKem,
      svid: use.identity,
      bundles: use.bundles,
      authorize: membersAndAdmins(config),
      clock,
      logger,
    });
    stack.defer(() => tls.close());
    const unix = stack.use(
      await aboutSetting('server.socket_path', () => listenLocally(config.socketPath, local, logger)),
    );
    tasks.run('authority rotation', (signal) => use.rotation.run(signal));
    const { upstream } = use;
    if (upstream) {
      tasks.run('upstream authority', (signal) =>
        followUpstreamTrust(upstream, use.rotation, { clock, logger }, signal),
      );
    }
    tasks.run('server identity', (signal) => use.identity.run(signal));
    tasks.run('bundle publishing', (signal) => use.publishing.run(signal));
    tasks.run('pruning', (signal) => use.pruning.run(signal));
    const { agentPruning } = use;
    if (agentPruning) tasks.run('agent pruning', (signal) => agentPruning.run(signal));
    tasks.run('federated bundles', (signal) => use.following.run(signal));
    const sidePorts = await openSidePorts({ config, use, telemetry, webRoots, clock, logger }, { stack, tasks });
    if (config.kubernetes !== undefined) {
      // Most servers do without it, and what is not loaded takes no memory.
      const { startKubernetes } = await import('./kubernetes.ts');
      startKubernetes(config.kubernetes, config, use, { clock, logger, random }, { stack, tasks });
    }
    addresses = { ...sidePorts, host: tls.address, port: tls.port, socketPath: unix.path };
    warnOfShortAuthorities(config, logger);
    use.health.set('', true);
    logger.info('Server started', {
      trust_domain: config.trustDomain.name,
      address: tls.address,
      port: tls.port,
      socket: unix.path,
    });
  };

  const stop = (): Promise<void> => {
    stopping ??= tasks.stop().then(() => stack.disposeAsync());
    return stopping;
  };

  return {
    start: () =>
      start().catch(async (error: unknown) => {
        await stop();
        throw error;
      }),
    async wait() {
      try {
        await tasks.wait();
      } finally {
        await stop();
      }
    },
    stop,
    get addresses() {
      if (!addresses) throw new Error('the server has not started');
      return addresses;
    },
    [Symbol.asyncDispose]: stop,
  };
};

const openUseCases = async (
  config: ServerConfig,
  rim: Omit<UseCaseParts, 'keys' | 'datastore'>,
  stack: AsyncDisposableStack,
): Promise<UseCases> => {
  const { trustDomain } = config;
  const host = { logger: rim.logger, clock: rim.clock, trustDomain };
  const keys = await createPlugin('key-manager', config.plugins.keyManager, host);
  stack.defer(() => keys.close());
  const datastore = stack.use(await createPlugin('datastore', config.plugins.datastore, host));
  return createUseCases(config, { ...rim, keys, datastore }, stack);
};

const serveParts = (
  config: ServerConfig,
  use: UseCases,
  rim: Pick<ServeParts, 'logger' | 'clock' | 'meter'>,
): ServeParts => ({
  services: handlersOf(config, use, rim),
  guard: { agents: use.datastore.agents, entries: use.datastore.entries, adminIds: config.adminIds, clock: rim.clock },
  rateLimit: config.rateLimit,
  auditLog: config.auditLog,
  ...rim,
});

/** Certificates are taken from members of the own trust domain, and from administrators of other ones: nobody else's count. */
const membersAndAdmins = ({ trustDomain, adminIds }: ServerConfig): Authorizer =>
  authorizeMatching(
    (id) => id.memberOf(trustDomain) || adminIds.some((admin) => admin.equals(id)),
    `a member of ${trustDomain.id} or one of admin_ids`,
  );

const drain = async (...hosts: GrpcHost[]): Promise<void> => {
  await Promise.all(hosts.map((host) => host.drain(GRACE)));
};

/** An SVID never outlives its authority, so near the end of one the configured lifetimes are not reached. */
const warnOfShortAuthorities = ({ caTtl, x509SvidTtl, jwtSvidTtl }: ServerConfig, logger: Logger): void => {
  const uncut = longestUncutTtl(caTtl);
  if (Math.max(x509SvidTtl, jwtSvidTtl) <= uncut) return;
  logger.warn('ca_ttl is too short for the SVID lifetimes: some SVIDs will live shorter than configured', {
    longest_ttl: uncut,
  });
};

const listenLocally = (path: string, host: GrpcHost, logger: Logger): Promise<UnixListener> =>
  UnixListener.listen(path, { host, mode: 'private', logger });

/** Before anything is made: a server that cannot listen leaves no keys and no database behind. */
const claimSocket = async (path: string): Promise<void> => {
  await ensureDir(dirname(path), 0o750);
  await checkSocketDirectory(path);
  await removeStaleSocket(path);
};
