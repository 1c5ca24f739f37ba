import { IssuerError } from '@steeple/core';
import { aboutSetting, type Clock, ConfigError, type Logger } from '@steeple/daemon';
import { checkConfig, readConfigFile } from '@steeple/daemon/config';
import { Cluster } from './cluster.ts';
import { type ClusterSettings, clustersFileSchema, type VerifierConfig } from './settings.ts';

interface Made {
  /** Settings as text: what is unchanged keeps its connections. */
  readonly key: string;
  readonly cluster: Cluster;
}

/** The clusters of the configuration and those of a file beside it, which may change while the server runs. */
export class Clusters {
  readonly #fixed: ReadonlyMap<string, ClusterSettings>;
  readonly #file: string | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #made: ReadonlyMap<string, Made> = new Map();
  #complaint = '';

  private constructor(config: VerifierConfig, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#fixed = config.clusters ?? new Map<string, ClusterSettings>();
    this.#file = config.clusters_file;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws {ConfigError} if the file is not good at the start; later a bad one changes nothing and is logged */
  static async open(
    config: VerifierConfig,
    rim: { readonly clock: Clock; readonly logger: Logger },
  ): Promise<Clusters> {
    const clusters = new Clusters(config, rim);
    await aboutSetting('clusters_file', () => clusters.#read());
    if (clusters.#made.size === 0) rim.logger.warn('No clusters configured: nobody can attest by k8s_psat');
    return clusters;
  }

  /** @throws {IssuerError} `invalid-argument` if there is none of this name */
  async find(name: string): Promise<Cluster> {
    if (this.#file !== undefined) await this.#readAgain();
    const made = this.#made.get(name);
    if (made) return made.cluster;
    throw new IssuerError('invalid-argument', `not configured for cluster "${name}"`);
  }

  async #readAgain(): Promise<void> {
    try {
      await this.#read();
      this.#complaint = '';
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // Once for each mistake, not once for each agent.
      if (this.#complaint !== error.message)
        this.#logger.error('The clusters_file is not good; the clusters stay as they are', { error: error.message });
      this.#complaint = error.message;
    }
  }

  async #read(): Promise<void> {
    const wanted = new Map([...this.#fixed, ...(await this.#ofFile())]);
    const before = this.#made;
    const now = new Map<string, Made>();
    for (const [name, settings] of wanted) {
      const key = JSON.stringify(settings);
      const same = before.get(name);
      now.set(name, same?.key === key ? same : { key, cluster: new Cluster(name, settings, this.#clock) });
    }
    this.#made = now;
    const changed = [...before].filter(([name, made]) => now.get(name) !== made);
    for (const [, made] of changed) made.cluster.close();
    if (before.size > 0 && (changed.length > 0 || now.size !== before.size)) {
      this.#logger.info('The clusters that may attest by k8s_psat have changed', { clusters: [...now.keys()] });
    }
  }

  async #ofFile(): Promise<ReadonlyMap<string, ClusterSettings>> {
    if (this.#file === undefined) return new Map();
    const { clusters } = checkConfig(clustersFileSchema, await readConfigFile(this.#file));
    const twice = [...clusters.keys()].find((name) => this.#fixed.has(name));
    if (twice === undefined) return clusters;
    throw new ConfigError([{ path: `clusters.${twice}`, file: this.#file, message: 'is in plugin_data already' }]);
  }
}
