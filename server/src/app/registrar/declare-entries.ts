import {
  type ClusterNames,
  type ClusterSpiffeId,
  type EntryDraft,
  type RawObject,
  type RegistrationObject,
  renderPodEntry,
  type ServiceName,
  similarityKey,
  type Template,
} from '@steeple/core';
import type { KubernetesObject } from '@steeple/daemon/kubernetes';
import type { ClusterMirror } from './cluster-mirror.ts';
import {
  type ClassFilter,
  type Declared,
  isOfClass,
  noStats,
  type ObjectReader,
  type Owner,
  type PodStats,
} from './registrations.ts';
import { servicesByPod } from './services-by-pod.ts';

export interface DeclareSettings extends ClassFilter {
  readonly cluster: ClusterNames;
  readonly parent: Template;
  readonly isIgnored: (namespace: string) => boolean;
}

type Tell = (what: string, error: Error) => void;

/** An object that selects pods, and what is counted about it. */
interface Selecting {
  readonly object: ClusterSpiffeId;
  readonly owner: Owner;
  readonly stats: PodStats;
}

/** What one object makes of one pod, as long as none of what it was made of changes. */
interface Rendered {
  readonly node: KubernetesObject;
  readonly services: string;
  readonly result: { readonly draft: EntryDraft; readonly key: string } | { readonly error: Error };
}

/** Says which entries there should be, from the objects of the cluster. */
export class EntryDeclarer {
  readonly #mirror: ClusterMirror;
  readonly #reader: ObjectReader;
  readonly #settings: DeclareSettings;
  readonly #rendered = new WeakMap<ClusterSpiffeId, WeakMap<KubernetesObject, Rendered>>();

  #servicesByPod: ReadonlyMap<string, readonly ServiceName[]> | undefined;

  constructor(mirror: ClusterMirror, reader: ObjectReader, settings: DeclareSettings) {
    this.#mirror = mirror;
    this.#reader = reader;
    this.#settings = settings;
  }

  /** To be told of each change of an EndpointSlice. */
  endpointsChanged(): void {
    this.#servicesByPod = undefined;
  }

  /**
   * All of them, or those of some pods alone, which no other pods can have. `tell` hears of what cannot be used, with the
   * object's name.
   */
  declare(
    tell: Tell,
    pods?: readonly KubernetesObject[],
  ): {
    readonly declared: readonly Declared[];
    readonly owners: readonly Owner[];
    /** There may be more, of objects that cannot be read. */
    readonly isIncomplete: boolean;
  } {
    const declared: Declared[] = [];
    const owners: Owner[] = [];
    let isIncomplete = false;
    const take = (
      kind: 'ClusterStaticEntry' | 'ClusterSPIFFEID',
      source: KubernetesObject,
    ): RegistrationObject | undefined => {
      const { object, error, isRiddle } = this.#reader.read(source);
      isIncomplete ||= isRiddle;
      if (error) tell(`${kind} ${source.metadata.name}`, error);
      return object;
    };
    for (const source of pods ? [] : this.#mirror.all('clusterStaticEntries')) {
      const object = take('ClusterStaticEntry', source);
      if (object && !isOfClass(this.#settings, object.className)) continue;
      const rendered = this.#reader.read(source).error === undefined;
      const owner: Owner = { kind: 'ClusterStaticEntry', source, state: { rendered, masked: false, set: false } };
      owners.push(owner);
      if (object?.kind === 'ClusterStaticEntry') declared.push({ draft: object.draft, by: owner });
    }
    const objects: Selecting[] = [];
    for (const source of this.#mirror.all('clusterSpiffeIds')) {
      const object = take('ClusterSPIFFEID', source);
      if (object && !isOfClass(this.#settings, object.className)) continue;
      const stats = noStats();
      const owner: Owner = { kind: 'ClusterSPIFFEID', source, stats };
      owners.push(owner);
      if (object?.kind === 'ClusterSPIFFEID') objects.push({ object, owner, stats });
    }
    this.#declarePods(objects, pods ?? this.#mirror.all('pods'), declared, tell);
    return { declared, owners, isIncomplete };
  }

  #declarePods(
    objects: readonly Selecting[],
    pods: Iterable<KubernetesObject>,
    declared: Declared[],
    tell: Tell,
  ): void {
    const podsOf = Map.groupBy(pods, ({ metadata }) => metadata.namespace ?? '');
    const services = objects.some(({ object }) => object.autoPopulateDnsNames) ? this.#services() : undefined;
    const hasOne = new Set<KubernetesObject>();
    for (const { object, owner, stats } of objects.toSorted((a, b) => +a.object.fallback - +b.object.fallback)) {
      for (const pod of this.#podsFor(object, podsOf, stats)) {
        if (object.fallback && hasOne.has(pod)) continue;
        const result = this.#render(object, pod, services?.get(pod.metadata.uid ?? '') ?? []);
        if (result === undefined) continue;
        if ('error' in result) {
          stats.podEntryRenderFailures += 1;
          tell(`ClusterSPIFFEID ${object.name} for pod ${pod.metadata.namespace}/${pod.metadata.name}`, result.error);
          continue;
        }
        declared.push({ draft: result.draft, key: result.key, by: owner });
        if (!object.fallback) hasOne.add(pod);
      }
    }
  }

  /** Made anew when an EndpointSlice changed. */
  #services(): ReadonlyMap<string, readonly ServiceName[]> {
    this.#servicesByPod ??= servicesByPod(this.#mirror.all('endpointSlices'));
    return this.#servicesByPod;
  }

  *#podsFor(
    object: ClusterSpiffeId,
    podsOf: ReadonlyMap<string, readonly KubernetesObject[]>,
    stats: PodStats,
  ): Generator<KubernetesObject> {
    for (const { metadata } of this.#mirror.all('namespaces')) {
      if (!object.selectsNamespace(metadata.labels ?? {})) continue;
      stats.namespacesSelected += 1;
      if (this.#settings.isIgnored(metadata.name)) {
        stats.namespacesIgnored += 1;
        continue;
      }
      for (const pod of podsOf.get(metadata.name) ?? []) {
        if (!object.selectsPod(pod.metadata.labels ?? {})) continue;
        stats.podsSelected += 1;
        yield pod;
      }
    }
  }

  /** Undefined for a pod that has no node yet, or whose node is not known yet. */
  #render(
    object: ClusterSpiffeId,
    pod: KubernetesObject,
    services: readonly ServiceName[],
  ): Rendered['result'] | undefined {
    const { nodeName } = pod['spec'] as { readonly nodeName?: unknown };
    const node = typeof nodeName === 'string' ? this.#mirror.find('nodes', nodeName) : undefined;
    if (node === undefined) return undefined;
    const ofObject = this.#rendered.get(object) ?? new WeakMap<KubernetesObject, Rendered>();
    this.#rendered.set(object, ofObject);
    const known = ofObject.get(pod);
    const names = object.autoPopulateDnsNames ? JSON.stringify(services) : '';
    if (known?.node === node && known.services === names) return known.result;
    const result = this.#renderNow(object, pod, node, services);
    ofObject.set(pod, { node, services: names, result });
    return result;
  }

  #renderNow(
    object: ClusterSpiffeId,
    pod: KubernetesObject,
    node: KubernetesObject,
    services: readonly ServiceName[],
  ): Rendered['result'] {
    const { cluster, parent } = this.#settings;
    const { uid } = pod.metadata;
    try {
      if (uid === undefined || uid === '') throw new Error('the pod has no UID');
      const place = { cluster, parent, node: node as RawObject, pod: { ...pod, metadata: { ...pod.metadata, uid } } };
      const draft = renderPodEntry(object, { ...place, services });
      return { draft, key: similarityKey(draft) };
    } catch (error) {
      return { error: error as Error };
    }
  }
}
