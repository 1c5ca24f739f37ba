import { hostname } from 'node:os';
import type { Clock, Logger, TaskGroup } from '@steeple/daemon';
import { HealthChecks, serveHealth } from '@steeple/daemon/health';
import { Telemetry } from '@steeple/daemon/metrics';
import type { ServerConfig } from './config.ts';
import { serveBundle } from './endpoints/bundle-endpoint.ts';
import { serverHealthChecks } from './endpoints/health-checks.ts';
import { svidServer } from './endpoints/svid-server.ts';
import type { UseCases } from './use-cases.ts';
import { SERVER_VERSION } from './version.ts';

/** An address that a part listens on. */
interface PortAddress {
  readonly address: string;
  readonly port: number;
}

/** Ports beside the API; each is there only if it is configured. */
export interface SidePorts {
  readonly bundleEndpoint?: PortAddress;
  readonly health?: PortAddress;
  readonly metrics?: PortAddress;
}

interface Rim {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The numbers of this server; nothing is opened yet, and `use` is asked only when something is. */
export const serverTelemetry = (
  config: ServerConfig,
  rim: Rim,
  use: () => Pick<UseCases, 'identity' | 'bundles'>,
): Telemetry =>
  new Telemetry({
    settings: config.telemetry,
    prefix: 'spire_server',
    trustDomain: config.trustDomain.name,
    hostname: hostname(),
    version: SERVER_VERSION,
    createSpiffeServer: (authorized, handler) => svidServer(authorized, handler, { ...use(), clock: rim.clock }),
    ...rim,
  });

/** Opens what is configured, to be closed with the stack. The API must be up: health asks it. */
export const openSidePorts = async (
  parts: Parts & { readonly telemetry: Telemetry },
  { stack, tasks }: { readonly stack: AsyncDisposableStack; readonly tasks: TaskGroup },
): Promise<SidePorts> => {
  const { telemetry } = parts;
  await telemetry.start();
  tasks.run('telemetry', (signal) => telemetry.run(signal));
  return {
    ...(await openBundleEndpoint(parts, stack, tasks)),
    ...(await openHealth(parts, stack, tasks)),
    ...(telemetry.address && { metrics: telemetry.address }),
  };
};

interface Parts extends Rim {
  readonly config: ServerConfig;
  readonly use: UseCases;
  readonly webRoots: () => readonly string[];
}

const openBundleEndpoint = async (
  { config, use, webRoots, clock, logger }: Parts,
  stack: AsyncDisposableStack,
  tasks: TaskGroup,
): Promise<SidePorts> => {
  const settings = config.federation.bundleEndpoint;
  if (settings === undefined) return {};
  const endpoint = stack.use(
    await serveBundle({
      settings,
      bundle: () => use.bundles.own(),
      wit: config.witEnabled,
      svid: use.identity,
      dataDir: config.dataDir,
      webRoots,
      clock,
      logger,
    }),
  );
  if (endpoint.keepFresh) tasks.run('bundle endpoint certificate', endpoint.keepFresh);
  return { bundleEndpoint: endpoint };
};

const openHealth = async (
  { config, use, clock, logger }: Parts,
  stack: AsyncDisposableStack,
  tasks: TaskGroup,
): Promise<SidePorts> => {
  const { healthChecks: settings, trustDomain, socketPath } = config;
  if (settings?.listener_enabled !== true) return {};
  const { ca, rotation, datastore } = use;
  const checks = serverHealthChecks({ trustDomain, socketPath, ca, rotation, bundles: datastore.bundles, clock });
  const health = new HealthChecks({ checks, clock, logger });
  const port = stack.use(await serveHealth(health, settings));
  logger.info('Serving health checks', { address: port.address, port: port.port });
  tasks.run('health checks', (signal) => health.run(signal));
  return { health: port };
};
