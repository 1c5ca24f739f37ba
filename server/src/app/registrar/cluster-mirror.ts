import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '@steeple/daemon';
import {
  type Followed,
  follow,
  hasStatus,
  type KubernetesClient,
  type KubernetesObject,
} from '@steeple/daemon/kubernetes';
import { relevantPart } from './relevant.ts';
import { FOLLOWED, type FollowedKind } from './resources.ts';

export interface MirrorRim {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random01: () => number;
}

/** Failures in a row between two lines of the log. */
const QUIET = 10;

/**
 * What the cluster holds, as far as it matters here, kept up by watches. Nothing is forgotten because the API is away: a
 * kind changes only by what the API says about it.
 */
export class ClusterMirror {
  readonly #client: KubernetesClient;
  readonly #rim: MirrorRim;
  readonly #onChange: (kind: FollowedKind) => void;
  readonly #objects = new Map<FollowedKind, Map<string, KubernetesObject>>();

  constructor(client: KubernetesClient, onChange: (kind: FollowedKind) => void, rim: MirrorRim) {
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
      if (this.#take(kind, event)) this.#onChange(kind);
    }
  }

  #take(kind: FollowedKind, event: Followed): boolean {
    if (event.kind === 'listed') return this.#replace(kind, event.objects);
    const known = this.#objects.get(kind) ?? new Map<string, KubernetesObject>();
    const key = keyOf(event.object);
    if (event.kind === 'removed') return known.delete(key);
    const old = known.get(key);
    const next = renewed(old, relevantPart(kind, event.object));
    known.set(key, next);
    return next !== old;
  }

  #replace(kind: FollowedKind, objects: readonly KubernetesObject[]): boolean {
    const known = this.#objects.get(kind);
    const next = new Map<string, KubernetesObject>();
    for (const object of objects) {
      const key = keyOf(object);
      next.set(key, renewed(known?.get(key), relevantPart(kind, object)));
    }
    this.#objects.set(kind, next);
    return true;
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
