import type { RegistrationEntry } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import type { KubernetesClient, KubernetesObject } from '@steeple/daemon/kubernetes';
import type { Datastore } from '@steeple/plugins';
import type { TrustDomain } from '@steeple/spiffe';
import type { Entries } from '../entries.ts';
import type { Federation } from '../federation.ts';
import { type RandomBytes, random01 } from '../randomness.ts';
import { Bell } from './bell.ts';
import { ClusterMirror } from './cluster-mirror.ts';
import { type DeclareSettings, EntryDeclarer } from './declare-entries.ts';
import { EntryWriter } from './entry-writer.ts';
import { OwnEntries, podUidOf } from './own-entries.ts';
import { ObjectReader } from './registrations.ts';
import { RelationshipWriter } from './relationship-writer.ts';
import type { FollowedKind } from './resources.ts';
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
/** The same after pods changed, which are seen to at once and alone: then the counts are made good too. */
const AFTER_PODS = 1;

const KINDS = ['pods', 'nodes', 'namespaces', 'endpointSlices', 'clusterSpiffeIds', 'clusterStaticEntries'] as const;

type Tell = (what: string, error: Error) => void;

/**
 * Registers the pods of a cluster as its ClusterSPIFFEID objects say, and what the other two kinds name. A pod that changed
 * is seen to at once, by itself. Any other change makes everything be compared anew, from memory: what was missed once is
 * made good by the next.
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
  /** Pods that changed since they were looked at, with the UIDs that they had. */
  readonly #changed = new Map<string, Set<string>>();
  #isAllChanged = true;

  constructor(settings: RegistrarSettings, parts: RegistrarParts) {
    this.#parts = parts;
    this.#settings = settings;
    const { client, clock, logger, datastore, random } = parts;
    this.mirror = new ClusterMirror(client, (...change) => this.#heard(...change), {
      clock,
      logger,
      random01: () => random01(random),
    });
    this.#declarer = new EntryDeclarer(this.mirror, this.#reader, settings);
    this.#own = new OwnEntries(settings.entryIdPrefix, datastore, () => !this.#writing && this.wake());
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
    this.#isAllChanged = true;
    this.#bell.ring();
  }

  [Symbol.dispose](): void {
    this.#own[Symbol.dispose]();
  }

  #heard(kind: FollowedKind, old?: KubernetesObject, next?: KubernetesObject): void {
    if (kind === 'endpointSlices') this.#declarer.endpointsChanged();
    const pod = kind === 'pods' ? (next ?? old) : undefined;
    if (pod === undefined) return this.wake();
    const key = JSON.stringify([pod.metadata.name, pod.metadata.namespace]);
    const uids = this.#changed.get(key) ?? new Set<string>();
    for (const one of [old, next]) if (one?.metadata.uid !== undefined) uids.add(one.metadata.uid);
    this.#changed.set(key, uids);
    this.#bell.ring();
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    let next = clock.monotonic();
    while (!signal.aborted) {
      if (this.#isAllChanged || clock.monotonic() >= next) {
        const refused = await this.#attempt((tell) => this.#round(tell));
        next = clock.monotonic() + (refused > 0 ? AFTER_REFUSAL : CALM);
      } else if (this.#changed.size > 0) {
        await this.#attempt((tell) => this.#seeToPods(tell));
        next = Math.min(next, clock.monotonic() + AFTER_PODS);
      }
      const woken = new AbortController();
      const either = AbortSignal.any([signal, woken.signal]);
      const nap = clock.sleep(Math.max(0, next - clock.monotonic()), either).catch(() => undefined);
      await Promise.race([this.#bell.wait(either), nap]);
      woken.abort();
    }
  }

  /** @returns how many were refused; a failure counts as one */
  async #attempt(work: (tell: Tell) => Promise<number>): Promise<number> {
    const { leads, logger } = this.#parts;
    if (!leads()) return 0;
    this.#writing = true;
    try {
      return await work((what, error) => {
        const line = `${what}: ${error.message}`;
        if (!this.#told.has(line)) logger.error('Not registered', { object: what, error: error.message });
        this.#told.add(line);
      });
    } catch (error) {
      logger.error('The cluster could not be registered', { error });
      return 1;
    } finally {
      this.#writing = false;
    }
  }

  async #round(tell: Tell): Promise<number> {
    // Before anything is looked at: what changes from now on is for the next round.
    this.#isAllChanged = false;
    const told = new Set<string>();
    const note: Tell = (what, error) => {
      tell(what, error);
      told.add(`${what}: ${error.message}`);
    };
    const refused = (await this.#federate(note)) + (await this.#register(note));
    const objects = ['clusterSpiffeIds', 'clusterStaticEntries', 'federatedTrustDomains'] as const;
    if (this.mirror.knows(...objects))
      this.#reader.retain(objects.flatMap((kind) => Array.from(this.mirror.all(kind))));
    // What is well again is told when it goes wrong again.
    this.#told = told;
    return refused;
  }

  async #register(tell: Tell): Promise<number> {
    if (!this.mirror.knows(...KINDS)) return 0;
    this.#changed.clear();
    const { declared, owners, isIncomplete } = this.#declarer.declare(tell);
    const mayRemove = isIncomplete ? isOfGonePod(this.mirror.all('pods')) : () => true;
    const refused = await this.#entries.write(this.#own.byKey(), declared, { mayRemove, tell });
    this.#statuses.want(owners);
    return refused;
  }

  /** The entries of a pod have its UID among their selectors, so no other pod's are concerned. */
  async #seeToPods(tell: Tell): Promise<number> {
    const changed = [...this.#changed];
    this.#changed.clear();
    // What is not known yet would look as if it were not there.
    if (!this.mirror.knows(...KINDS)) return 0;
    const pods = changed.flatMap(([key]) => {
      const [name, namespace] = JSON.parse(key) as [string, string | undefined];
      return this.mirror.find('pods', name, namespace) ?? [];
    });
    const { declared, isIncomplete } = this.#declarer.declare(tell, pods);
    const current = this.#own.ofPods(new Set(changed.flatMap(([, uids]) => [...uids])));
    const mayRemove = isIncomplete ? isOfGonePod(pods) : () => true;
    return this.#entries.write(current, declared, { mayRemove, tell });
  }

  async #federate(tell: Tell): Promise<number> {
    if (!this.mirror.knows('federatedTrustDomains')) return 0;
    const sources = this.mirror.all('federatedTrustDomains');
    const { wanted, isIncomplete } = wantedTrustDomains(sources, this.#reader, this.#settings, tell);
    return this.#relationships.write(wanted, { mayRemove: !isIncomplete, tell });
  }
}

/** All that may go while nobody knows what an unreadable object said before. */
const isOfGonePod = (pods: Iterable<KubernetesObject>): ((entry: RegistrationEntry) => boolean) => {
  const there = new Set([...pods].map(({ metadata }) => metadata.uid));
  return (entry) => {
    const uid = podUidOf(entry);
    return uid !== undefined && !there.has(uid);
  };
};
