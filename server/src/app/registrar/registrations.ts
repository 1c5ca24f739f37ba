import { type DeclaredEntry, ObjectError, type RegistrationObject, readRegistrationObject } from '@steeple/core';
import { parseDuration } from '@steeple/daemon';
import type { KubernetesObject } from '@steeple/daemon/kubernetes';

/** What the status of a ClusterSPIFFEID counts. */
export interface PodStats {
  namespacesSelected: number;
  namespacesIgnored: number;
  podsSelected: number;
  podEntryRenderFailures: number;
  entriesMasked: number;
  entriesToSet: number;
  entryFailures: number;
}

export const noStats = (): PodStats => ({
  namespacesSelected: 0,
  namespacesIgnored: 0,
  podsSelected: 0,
  podEntryRenderFailures: 0,
  entriesMasked: 0,
  entriesToSet: 0,
  entryFailures: 0,
});

/** What the status of a ClusterStaticEntry says. */
interface StaticState {
  rendered: boolean;
  masked: boolean;
  set: boolean;
}

/** An object of the cluster during one round, with what becomes its status. */
export type Owner =
  | { readonly kind: 'ClusterSPIFFEID'; readonly source: KubernetesObject; readonly stats: PodStats }
  | { readonly kind: 'ClusterStaticEntry'; readonly source: KubernetesObject; readonly state: StaticState };

export type Declared = DeclaredEntry<Owner>;

/** As spire-controller-manager prefers one of two: the older; then the one that is not being deleted, or later; then by UID. */
export const compareOwners = ({ source: { metadata: a } }: Owner, { source: { metadata: b } }: Owner): number =>
  compareText(a.creationTimestamp ?? '', b.creationTimestamp ?? '') ||
  // No text is greater than this one, so what is not being deleted comes first.
  compareText(b.deletionTimestamp ?? '~', a.deletionTimestamp ?? '~') ||
  compareText(a.uid ?? '', b.uid ?? '');

const compareText = (a: string, b: string): number => {
  if (a === b) return 0;
  return a < b ? -1 : 1;
};

/** Which objects are this registrar's. */
export interface ClassFilter {
  readonly className: string;
  /** Those without a class too. */
  readonly watchClassless: boolean;
}

export const isOfClass = ({ className, watchClassless }: ClassFilter, of: string): boolean =>
  of === '' ? watchClassless : of === className;

/** What an object says, or what is wrong with it; then also what it said before, if that is known. */
export interface ReadObject {
  readonly object: RegistrationObject | undefined;
  readonly error: ObjectError | undefined;
  /** It may have said something else that is not known any more. */
  readonly isRiddle: boolean;
}

/** Reads each object once for each of its specifications, so that what is made of it can be told by identity. */
export class ObjectReader {
  readonly #read = new Map<string, { readonly spec: unknown; readonly made: ReadObject }>();

  /** An object that is wrong goes on as it was: a slip of the pen takes away no identity. */
  read(source: KubernetesObject): ReadObject {
    const key = keyOf(source);
    const { spec } = source as { readonly spec?: unknown };
    const known = this.#read.get(key);
    if (known !== undefined && known.spec === spec) return known.made;
    const made = readOnce(source, known?.made.object);
    this.#read.set(key, { spec, made });
    return made;
  }

  /** Forgets all that are not among these. */
  retain(sources: Iterable<KubernetesObject>): void {
    const there = new Set(Array.from(sources, keyOf));
    for (const key of this.#read.keys()) if (!there.has(key)) this.#read.delete(key);
  }
}

const keyOf = ({ kind, metadata: { uid, name } }: KubernetesObject): string => `${kind}/${uid ?? name}`;

const readOnce = (source: KubernetesObject, before: RegistrationObject | undefined): ReadObject => {
  try {
    const object = readRegistrationObject(source, { duration: parseDuration });
    return { object, error: undefined, isRiddle: false };
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error;
    const neverChanged = source.metadata.generation === 1;
    return { object: before, error, isRiddle: before === undefined && !neverChanged };
  }
};
