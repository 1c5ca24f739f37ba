import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '@steeple/daemon';
import { follow, hasStatus, type KubernetesClient, type KubernetesObject } from '@steeple/daemon/kubernetes';
import { relevantPart } from './relevant.ts';
import { FOLLOWED, type FollowedKind } from './resources.ts';

export interface MirrorRim {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random01: () => number;
}

/** Hears of what matters: one object that came, changed or went, or, with neither, all of the kind. */
export type OnChange = (kind: FollowedKind, old?: KubernetesObject, next?: KubernetesObject) => void;

/** Failures in a row between two lines of the log. */
const QUIET = 10;

/**
 * What the cluster holds, as far as it matters here, kept up by watches. Nothing is forgotten because the API is away: a
 * kind changes only by what the API says about it.
 */
export class ClusterMirror {
  readonly #client: KubernetesClient;
  readonly #rim: MirrorRim;
  readonly #onChange: OnChange;
  readonly #objects = new Map<FollowedKind, Map<string, KubernetesObject>>();

  constructor(client: KubernetesClient, onChange: OnChange, rim: MirrorRim) {
    this.#client = client;
    this.#onChange = onChange;
    this.#rim = rim;
  }

  /** Whether all objects of these kinds are known. */
  knows(...kinds: readonly FollowedKind[]): boolean {
    return kinds.every((kind) => this.#objects.has(kind));
  }

  /** The objects of a kind; the same one as long as nothing that matters changed. */
  all(kind: FollowedKind): Iterable<KubernetesObject> {
    return this.#objects.get(kind)?.values() ?? [];
  }

  find(kind: FollowedKind, name: string, namespace = ''): KubernetesObject | undefined {
    return this.#objects.get(kind)?.get(`${namespace}/${name}`);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Object.keys(FOLLOWED).map((kind) => this.#follow(kind as FollowedKind, signal)));
  }

  async #follow(kind: FollowedKind, signal: AbortSignal): Promise<void> {
    const { clock, random01 } = this.#rim;
    const onTrouble = (error: unknown, attempt: number) => this.#tell(kind, error, attempt);
    for await (const event of follow(this.#client, FOLLOWED[kind], { clock, random01, onTrouble }, signal)) {
      if (event.kind === 'listed') this.#replace(kind, event.objects);
      else this.#take(kind, event.kind, event.object);
    }
  }

  #take(kind: FollowedKind, what: 'put' | 'removed', object: KubernetesObject): void {
    const known = this.#objects.get(kind) ?? new Map<string, KubernetesObject>();
    const key = keyOf(object);
    const old = known.get(key);
    if (what === 'removed') {
      known.delete(key);
      if (old !== undefined) this.#onChange(kind, old);
      return;
    }
    const next = renewed(old, relevantPart(kind, object));
    known.set(key, next);
    if (next !== old && !isStatusOnly(old, next)) this.#onChange(kind, old, next);
  }

  #replace(kind: FollowedKind, objects: readonly KubernetesObject[]): void {
    const known = this.#objects.get(kind);
    const next = new Map<string, KubernetesObject>();
    for (const object of objects) {
      const key = keyOf(object);
      next.set(key, renewed(known?.get(key), relevantPart(kind, object)));
    }
    this.#objects.set(kind, next);
    this.#onChange(kind);
  }

  #tell(kind: FollowedKind, error: unknown, attempt: number): void {
    if (attempt % QUIET !== 1) return;
    const { group, plural } = FOLLOWED[kind];
    const isMissing = group === 'spire.spiffe.io' && hasStatus(error, 404);
    const advice = isMissing && { advice: 'install the CRDs of deploy/kubernetes/crds' };
    this.#rim.logger.warn('A watch of the cluster failed; what is known stays', {
      kind: plural,
      attempt,
      error,
      ...advice,
    });
  }
}

const keyOf = ({ metadata: { name, namespace = '' } }: KubernetesObject): string => `${namespace}/${name}`;

/** The old object if nothing changed, and else the new one with the old specification if that did not. */
const renewed = (old: KubernetesObject | undefined, next: KubernetesObject): KubernetesObject => {
  if (old === undefined) return next;
  if (isDeepStrictEqual(old, next)) return old;
  return isDeepStrictEqual(old['spec'], next['spec']) ? { ...next, spec: old['spec'] } : next;
};

/** A status is what was written here, or what will be written over: nothing follows from it. */
const isStatusOnly = (old: KubernetesObject | undefined, next: KubernetesObject): boolean =>
  old !== undefined && old['spec'] === next['spec'] && isDeepStrictEqual({ ...old, status: 0 }, { ...next, status: 0 });
