import type { Site } from '../../interop/spire/site.ts';
import type { Block } from '../../interop/spire/write-hcl.ts';

/** A workload attestor and a place where processes have what it looks for. */
export interface AttestorSetting {
  /** As it is named in the figures. */
  readonly name: string;
  /**
   * Sets the place up; the site takes it down.
   *
   * @throws {Skip} where this machine cannot have it
   */
  readonly open: (site: Site) => Promise<AttestorPlace>;
}

export interface AttestorPlace {
  /** The attestors of either maker's agent. */
  readonly plugins: Readonly<Record<string, Block>>;
  /** Of the agents, beside this process's own. */
  readonly env: NodeJS.ProcessEnv;
  /** What processes there have. */
  readonly selector: string;
  /** Runs a command there to its end. */
  readonly run: (command: readonly string[]) => Promise<void>;
}
