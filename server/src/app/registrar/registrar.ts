import type { RegistrationEntry } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import type { KubernetesClient } from '@steeple/daemon/kubernetes';
import type { Datastore } from '@steeple/plugins';
import type { TrustDomain } from '@steeple/spiffe';
import type { Entries } from '../entries.ts';
import type { Federation } from '../federation.ts';
import { type RandomBytes, random01 } from '../randomness.ts';
import { Bell } from './bell.ts';
import { ClusterMirror } from './cluster-mirror.ts';
import { type DeclareSettings, EntryDeclarer } from './declare-entries.ts';
import { EntryWriter } from './entry-writer.ts';
import { OwnEntries } from './own-entries.ts';
import { ObjectReader } from './registrations.ts';
import { RelationshipWriter } from './relationship-writer.ts';
import { StatusWriter } from './status-writer.ts';
import { wantedTrustDomains } from './trust-domains.ts';

export interface RegistrarSettings extends DeclareSettings {
  /** What the IDs of its entries begin with, before a point. */
  readonly entryIdPrefix: string;
}

export interface RegistrarParts {
  readonly client: KubernetesClient;
  readonly trustDomain: TrustDomain;
  readonly datastore: Datastore;
  readonly entries: Entries;
  readonly federation: Federation;
  /** Whether this server is the one that registers. */
  readonly leads: () => boolean;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
}

/** Seconds after which everything is compared again although nothing happened, and sooner after a refusal. */
const CALM = 60;
const AFTER_REFUSAL = 10;

/**
 * Registers the pods of a cluster as its ClusterSPIFFEID objects say, and what the other two kinds name. Each event makes
 * everything be compared anew, from memory: what was missed once is made good by the next.
 */
export class Registrar implements Disposable {
  readonly mirror: ClusterMirror;
  readonly #parts: RegistrarParts;
  readonly #settings: RegistrarSettings;
  readonly #reader = new ObjectReader();
  readonly #declarer: EntryDeclarer;
  readonly #own: OwnEntries;
  readonly #entries: EntryWriter;
  readonly #relationships: RelationshipWriter;
  readonly #statuses: StatusWriter;
  readonly #bell = new Bell();
  /** What was told already, so that each round does not tell it again. */
  #told = new Set<string>();
  #writing = false;

  constructor(settings: RegistrarSettings, parts: RegistrarParts) {
    this.#parts = parts;
    this.#settings = settings;
    const { client, clock, logger, datastore, random } = parts;
    this.mirror = new ClusterMirror(client, () => this.#bell.ring(), {
      clock,
      logger,
      random01: () => random01(random),
    });
    this.#declarer = new EntryDeclarer(this.mirror, this.#reader, settings);
    this.#own = new OwnEntries(settings.entryIdPrefix, datastore, () => !this.#writing && this.#bell.ring());
    const own = { ...parts, prefix: settings.entryIdPrefix };
    this.#entries = new EntryWriter(own);
    this.#relationships = new RelationshipWriter({ ...own, store: datastore.entries });
    this.#statuses = new StatusWriter(client, parts);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#own.load();
    await Promise.all([this.mirror.run(signal), this.#statuses.run(signal), this.#work(signal)]);
  }

  /** Looks again, such as when this server became the one that registers. */
  wake(): void {
    this.#bell.ring();
  }

  [Symbol.dispose](): void {
    this.#own[Symbol.dispose]();
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts;
    while (!signal.aborted) {
      let refused = 1;
      try {
        refused = await this.#round();
      } catch (error) {
        logger.error('The cluster could not be registered', { error });
      }
      const woken = new AbortController();
      const either = AbortSignal.any([signal, woken.signal]);
      const nap = clock.sleep(refused > 0 ? AFTER_REFUSAL : CALM, either).catch(() => undefined);
      await Promise.race([this.#bell.wait(either), nap]);
      woken.abort();
    }
  }

  async #round(): Promise<number> {
    if (!this.#parts.leads()) return 0;
    const told = new Set<string>();
    const tell = (what: string, error: Error): void => {
      const line = `${what}: ${error.message}`;
      told.add(line);
      if (!this.#told.has(line)) this.#parts.logger.error('Not registered', { object: what, error: error.message });
    };
    this.#writing = true;
    try {
      const relationships = await this.#federate(tell);
      return relationships + (await this.#register(tell));
    } finally {
      this.#writing = false;
      this.#told = told;
    }
  }

  async #register(tell: (what: string, error: Error) => void): Promise<number> {
    const kinds = [
      'pods',
      'nodes',
      'namespaces',
      'endpointSlices',
      'clusterSpiffeIds',
      'clusterStaticEntries',
    ] as const;
    if (!this.mirror.knows(...kinds)) return 0;
    const { declared, owners, isIncomplete } = this.#declarer.declare(tell);
    const mayRemove = isIncomplete ? this.#isOfGonePod() : () => true;
    const refused = await this.#entries.write(this.#own.byKey(), declared, { mayRemove, tell });
    this.#statuses.want(owners);
    return refused;
  }

  /** All that may go while nobody knows what an unreadable object said before. */
  #isOfGonePod(): (entry: RegistrationEntry) => boolean {
    const there = new Set([...this.mirror.all('pods')].map(({ metadata }) => `pod-uid:${metadata.uid}`));
    const podOf = ({ selectors }: RegistrationEntry): string | undefined =>
      selectors.find(({ type, value }) => type === 'k8s' && value.startsWith('pod-uid:'))?.value;
    return (entry) => {
      const pod = podOf(entry);
      return pod !== undefined && !there.has(pod);
    };
  }

  async #federate(tell: (what: string, error: Error) => void): Promise<number> {
    if (!this.mirror.knows('federatedTrustDomains')) return 0;
    const sources = this.mirror.all('federatedTrustDomains');
    const { wanted, isIncomplete } = wantedTrustDomains(sources, this.#reader, this.#settings, tell);
    return this.#relationships.write(wanted, { mayRemove: !isIncomplete, tell });
  }
}
