import { IssuerError, type Selector } from '@steeple/core';
import { type Clock, type Logger, reasonOf } from '@steeple/daemon';
import { type PeerCredentials, readSmallFile } from '@steeple/daemon/listen';
import type { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { type ContainerOfPeer, withContainerOf } from './container/container-of-peer.ts';
import { EngineBusyError } from './docker/engine.ts';
import { Engines } from './docker/engines.ts';
import type { InspectedContainer } from './docker/inspected-container.ts';
import { requireMember } from './docker/require-member.ts';
import { selectorsOf } from './docker/selectors-of.ts';
import { type Settings, settingsSchema } from './docker/settings.ts';
import type { WorkloadAttestor } from './workload-attestor.ts';

const TYPE = 'docker';

/** Seconds before the second, third and fourth attempt. */
const PAUSES = [0.1, 0.2, 0.4];
/** As many bytes as `/proc/<pid>/cgroup` may have at most. */
const CGROUP_BYTES = 64 * 1024;

export interface DockerAttestorOptions extends Settings {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Pick<Logger, 'debug'>;
}

/**
 * What a container engine knows of the container that a process is in: Docker, or podman over the same API.
 *
 * D1. The control groups of the process only say which container to ask about. What the engine answers counts if the
 *     process is in the very groups where the engine has that container's first process.
 * D2. A container in the groups of a pod belongs to it only if the engine says the same: whoever may start containers may
 *     also put them into groups of that name.
 * D3. An engine that starts, or records a container that has just begun, is asked again a few times.
 */
export class DockerAttestor implements WorkloadAttestor {
  readonly type = TYPE;
  readonly #options: DockerAttestorOptions;
  readonly #engines: Engines;

  constructor(options: DockerAttestorOptions) {
    this.#options = options;
    this.#engines = new Engines(options.sockets, options.version);
  }

  async attest(peer: PeerCredentials, signal: AbortSignal): Promise<readonly Selector[]> {
    signal.throwIfAborted();
    const use = async (container: ContainerOfPeer) => {
      if (this.#options.verbose) this.#logLocation(peer, container);
      return await this.#patiently(() => this.#selectorsOf(container, signal), signal);
    };
    return (await withContainerOf(peer, use, this.#options.locate)) ?? [];
  }

  /** D3 */
  async #patiently<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (const pause of PAUSES) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof EngineBusyError)) throw error;
      }
      await this.#options.clock.sleep(pause, signal);
    }
    return await attempt();
  }

  async #selectorsOf(location: ContainerOfPeer, signal: AbortSignal): Promise<readonly Selector[]> {
    const engine = await this.#engines.engineOf(location);
    const container = await engine.inspect(location.containerId, signal);
    if (!container.running || container.pid === 0)
      throw new EngineBusyError('the engine says that the container does not run');
    requireMember(container.id, location.cgroup, cgroupOf(container.pid)); // D1
    requirePod(location, container); // D2
    return selectorsOf(TYPE, container);
  }

  #logLocation({ pid }: PeerCredentials, { containerId, cgroup }: ContainerOfPeer): void {
    this.#options.logger.debug('The control groups of a process name a container', { pid, containerId, cgroup });
  }
}

function cgroupOf(pid: number): string {
  try {
    return readSmallFile(`/proc/${pid}/cgroup`, CGROUP_BYTES);
  } catch (cause) {
    const message = `the container's first process, of which the engine says that it is ${pid}, cannot be looked at (${reasonOf(cause)}); the agent must share the engine's pid namespace`;
    throw new EngineBusyError(message);
  }
}

function requirePod({ podUid }: ContainerOfPeer, { labels }: InspectedContainer): void {
  if (podUid === undefined || labels['io.kubernetes.pod.uid'] === podUid) return;
  throw new IssuerError(
    'failed-precondition',
    'the container is in the control groups of a pod that it does not belong to',
  );
}

export const dockerAttestor: PluginDefinition<'workload-attestor', z.infer<typeof settingsSchema>> = {
  kind: 'workload-attestor',
  name: TYPE,
  schema: settingsSchema,
  create: async (settings, { clock, logger }) => new DockerAttestor({ ...settings, clock, logger }),
};
