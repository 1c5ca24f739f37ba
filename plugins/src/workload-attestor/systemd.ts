import { IssuerError, type Selector } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { busSockets } from './systemd/bus-address.ts';
import { BusHungUp } from './systemd/bus-connection.ts';
import { SystemBus } from './systemd/system-bus.ts';
import { type Unit, unitOf } from './systemd/unit-of.ts';
import { ProcessDirectory } from './unix/process-directory.ts';
import type { WorkloadAttestor } from './workload-attestor.ts';

const TYPE = 'systemd';

/** It has no settings, as in SPIRE. */
const schema = z.strictObject({});

export interface SystemdAttestorOptions {
  readonly clock: Clock;
  /** Names the bus as in every program: `DBUS_SYSTEM_BUS_ADDRESS`. */
  readonly environment: NodeJS.ProcessEnv;
}

/** The systemd unit that a process runs in, as systemd says over the system bus. */
export class SystemdAttestor implements WorkloadAttestor {
  readonly type = TYPE;
  readonly #bus: SystemBus;

  /** @throws {ConfigError} if the environment names no bus that can be used */
  constructor({ clock, environment }: SystemdAttestorOptions) {
    this.#bus = new SystemBus({ sockets: busSockets(environment), clock });
  }

  async attest(peer: PeerCredentials, signal: AbortSignal): Promise<readonly Selector[]> {
    signal.throwIfAborted();
    await using process = await ProcessDirectory.open(peer);
    // systemd knows units by control groups: a process that changed its group while it was asked about is in neither.
    const before = await process.text('cgroup');
    const unit = await this.#ask(peer, process, signal);
    if ((await process.text('cgroup')) !== before) {
      throw new IssuerError('internal', 'the process changed its control group while it was looked at');
    }
    process.requireAlive();
    if (unit === undefined) return [];
    return [
      { type: TYPE, value: `id:${unit.id}` },
      { type: TYPE, value: `fragment_path:${unit.fragmentPath}` },
    ];
  }

  close(): void {
    this.#bus.close();
  }

  async #unitOf(peer: PeerCredentials, signal: AbortSignal): Promise<Unit | undefined> {
    return await unitOf(await this.#bus.connection(signal), peer, signal);
  }

  async #ask(peer: PeerCredentials, process: ProcessDirectory, signal: AbortSignal): Promise<Unit | undefined> {
    try {
      return await this.#unitOf(peer, signal).catch((error: unknown) => {
        // The bus has been restarted since it was last asked, which shows only now.
        if (error instanceof BusHungUp) return this.#unitOf(peer, signal);
        throw error;
      });
    } catch (cause) {
      signal.throwIfAborted();
      process.requireAlive();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new IssuerError('internal', `systemd does not tell the unit of process ${peer.pid}: ${why}`, { cause });
    }
  }
}

export const systemdAttestor: PluginDefinition<'workload-attestor', z.infer<typeof schema>> = {
  kind: 'workload-attestor',
  name: TYPE,
  schema,
  create: async (_config, { clock }) => new SystemdAttestor({ clock, environment: process.env }),
};
