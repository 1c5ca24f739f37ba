import { hostname } from 'node:os';
import { authorizeAny, authorizeOneOf, createHttpsServer } from '@steeple/client/tls';
import { type Clock, ConfigError, type Logger, type TaskGroup } from '@steeple/daemon';
import { type CheckState, HealthChecks, serveHealth } from '@steeple/daemon/health';
import { type CreateSpiffeServer, Telemetry } from '@steeple/daemon/metrics';
import { type BundleSource, SpiffeError, SpiffeId, type X509SvidSource } from '@steeple/spiffe';
import type { AgentConfig } from './config.ts';
import { AGENT_VERSION } from './version.ts';

interface Rim {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who this agent is, for a Prometheus that wants to know. */
export interface OwnIdentity {
  readonly svid: X509SvidSource;
  readonly bundles: BundleSource;
}

/** Ports beside the sockets; each is there only if it is configured. */
export interface SidePorts {
  readonly health?: { readonly address: string; readonly port: number };
  readonly metrics?: { readonly address: string; readonly port: number };
}

/** The numbers of this agent; nothing is opened yet, and `identity` is asked only when something is. */
export function agentTelemetry(config: AgentConfig, rim: Rim, identity: () => OwnIdentity): Telemetry {
  return new Telemetry({
    settings: config.telemetry,
    prefix: 'spire_agent',
    trustDomain: config.trustDomain.name,
    hostname: hostname(),
    version: AGENT_VERSION,
    createSpiffeServer: spiffeServer(identity, rim.clock),
    ...rim,
  });
}

/** Opens what is configured, to be closed with the stack. @throws {ConfigError} */
export async function openSidePorts(
  parts: Rim & { readonly config: AgentConfig; readonly telemetry: Telemetry; readonly check: () => CheckState },
  { stack, tasks }: { readonly stack: AsyncDisposableStack; readonly tasks: TaskGroup },
): Promise<SidePorts> {
  const { config, telemetry, check, clock, logger } = parts;
  await telemetry.start();
  tasks.run('telemetry', (signal) => telemetry.run(signal));
  const metrics = telemetry.address === undefined ? {} : { metrics: telemetry.address };
  const settings = config.healthChecks;
  if (settings?.listener_enabled !== true) return metrics;
  const health = new HealthChecks({ checks: { agent: async () => check() }, clock, logger });
  const port = stack.use(await serveHealth(health, settings));
  logger.info('Serving health checks', { address: port.address, port: port.port });
  tasks.run('health checks', (signal) => health.run(signal));
  return { ...metrics, health: port };
}

function spiffeServer(identity: () => OwnIdentity, clock: Clock): CreateSpiffeServer {
  return (authorized, handler) => {
    const ids = authorized.map(readId);
    const { svid, bundles } = identity();
    return createHttpsServer(
      {
        svid,
        bundles,
        authorize: ids.length === 0 ? authorizeAny() : authorizeOneOf(ids),
        clientCertificate: ids.length === 0 ? 'none' : 'required',
        now: () => clock.now(),
      },
      handler,
    );
  };
}

function readId(text: string): SpiffeId {
  try {
    return SpiffeId.parse(text);
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new ConfigError([{ path: 'telemetry.Prometheus.tls.authorized_spiffe_ids', message: error.message }]);
  }
}
