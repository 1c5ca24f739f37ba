import { aboutSetting, type Clock, claimDataDir, type Logger, systemClock, TaskGroup } from '@steeple/daemon';
import type { CheckState } from '@steeple/daemon/health';
import { HealthState } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { assemble, setServing } from './assemble.ts';
import type { AgentConfig } from './config.ts';
import { loadPlugins } from './load-plugins.ts';
import { serveLocally } from './serve.ts';
import { agentTelemetry, openSidePorts, type SidePorts } from './side-ports.ts';
import { AGENT_VERSION } from './version.ts';

/** What an agent takes from the process around it; tests replace it. */
export interface AgentRim {
  readonly clock?: Clock;
  readonly logger: Logger;
  /** Random numbers in [0, 1), for jitter only. */
  readonly random?: () => number;
}

/** A running agent. */
export interface Agent extends AsyncDisposable {
  /**
   * Opens the socket, then gets an identity: from what an earlier run left, or by attestation, which is tried until the
   * server answers. The first synchronisation goes on in the background. Also resolves when the agent is stopped meanwhile.
   *
   * @throws {ConfigError | AgentStopped}
   */
  start(): Promise<void>;
  /** Resolves when the agent has been stopped; rejects with what made it stop by itself, such as {@link AgentStopped}. */
  wait(): Promise<void>;
  /** Ends every stream with UNAVAILABLE and everything else. May be called at any time, and again. */
  stop(): Promise<void>;
  /** `live`: nothing has failed for good. `ready`: workloads get what the server grants. */
  readonly health: { readonly live: boolean; readonly ready: boolean };
  readonly socketPath: string;
  /** Where metrics and health are served; known while it starts. */
  readonly ports: SidePorts;
}

/** Seconds that single calls may still take when the agent stops. */
const GRACE = 2;

/** Puts an agent together. Nothing happens before `start`. */
export function createAgent(config: AgentConfig, rim: AgentRim): Agent {
  const { clock = systemClock, logger, random = Math.random } = rim;
  const stopping = new AbortController();
  const tasks = new TaskGroup(logger);
  const stack = new AsyncDisposableStack();
  const health = new HealthState({ '': false, [SpiffeWorkloadAPI.typeName]: false });
  const check = (): CheckState => {
    const ready = health.get('') === true;
    const details = ready ? {} : { make_new_x509_err: 'workload api is unavailable' };
    return { live: !failed, ready, liveDetails: {}, readyDetails: details };
  };
  let failed = false;
  let ports: SidePorts = {};
  let stopped: Promise<void> | undefined;

  const open = async (): Promise<void> => {
    stack.use(await aboutSetting('agent.data_dir', () => claimDataDir(config.dataDir, 'agent')));
    const plugins = await loadPlugins(config, { clock, logger });
    stack.defer(() => plugins.keyManager.close());
    const telemetry = stack.use(
      agentTelemetry(config, { clock, logger }, () => ({ svid: agent.current, bundles: agent.cache.bundles })),
    );
    const { metrics } = telemetry;
    const agent = assemble({ config, plugins, clock, logger, random, health, metrics });
    stack.defer(() => agent.link.close());
    // Before the first contact, which may take long: that it takes long is to be seen.
    ports = await openSidePorts({ config, telemetry, check, clock, logger }, { stack, tasks });
    const middleware = telemetry.middleware();
    await serveLocally({ config, agent, clock, logger, health, metrics, middleware }, stack, GRACE);

    await agent.known.restore();
    await agent.bootstrap.run(stopping.signal);
    agent.rebootstrap.requireReattestable();
    agent.run(tasks);
    agent.link
      .postStatus(AGENT_VERSION, stopping.signal)
      .catch((error: unknown) => logger.debug('Could not tell the server our version', { error }));
    const { host, port } = config.server;
    logger.info('Agent started', { agent: agent.current.x509Svid().id.toString(), server: `${host}:${port}` });
  };

  const start = async (): Promise<void> => {
    try {
      await open();
    } catch (error) {
      const wanted = stopping.signal.aborted;
      failed = !wanted;
      await stop();
      if (!wanted) throw error;
    }
  };

  const wait = async (): Promise<void> => {
    try {
      await tasks.wait();
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      await stop();
    }
  };

  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      stopping.abort(new Error('the agent was stopped'));
      setServing(health, false);
      await tasks.stop();
      await stack.disposeAsync();
    })();
    return stopped;
  };

  return {
    start,
    wait,
    stop,
    [Symbol.asyncDispose]: stop,
    socketPath: config.socketPath,
    get ports() {
      return ports;
    },
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
