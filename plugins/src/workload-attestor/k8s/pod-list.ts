import { IssuerError } from '@steeple/core';
import { KubeletError } from './kubelet-error.ts';
import { type Container, type Pod, podOf } from './pod.ts';

/** A container and the pod that it is in. */
export interface FoundContainer {
  readonly pod: Pod;
  readonly container: Container;
}

/** The pods of a node at one moment, by what a process tells of itself. */
export class PodList {
  readonly #pods = new Map<string, Pod>();
  readonly #containers = new Map<string, FoundContainer | 'ambiguous'>();
  readonly #ephemeral = new Set<string>();

  constructor(pods: Iterable<Pod>) {
    for (const pod of pods) {
      this.#pods.set(pod.uid, pod);
      for (const container of [...pod.containers, ...pod.initContainers]) {
        if (container.id === '') continue;
        const found = this.#containers.has(container.id) ? 'ambiguous' : { pod, container };
        this.#containers.set(container.id, found);
      }
      for (const id of pod.ephemeralContainerIds) this.#ephemeral.add(id);
    }
  }

  pod(uid: string): Pod | undefined {
    return this.#pods.get(uid);
  }

  /** @throws {IssuerError} `internal` if two containers have this id */
  container(id: string): FoundContainer | undefined {
    const found = this.#containers.get(id);
    if (found === 'ambiguous') throw new IssuerError('internal', 'the kubelet names two containers with the same id');
    return found;
  }

  /** Whether it is one that was added to a running pod to look into it. */
  isEphemeral(id: string): boolean {
    return this.#ephemeral.has(id);
  }
}

/**
 * Reads the kubelet's `PodList`. A pod that cannot be understood is not in it: nobody gets anything from it.
 *
 * @param onBroken - is told why
 * @throws {KubeletError} if it is no list of pods
 */
export function readPodList(body: Buffer, onBroken: (why: string) => void): PodList {
  let list: unknown;
  try {
    list = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's own message would quote the answer.
    throw new KubeletError('the kubelet answered something that is not JSON', false);
  }
  const items = typeof list === 'object' && list !== null && 'items' in list ? list.items : undefined;
  // Null is how the kubelet writes that there are none.
  if (items === null) return new PodList([]);
  if (!Array.isArray(items)) throw new KubeletError('the kubelet answered JSON that is no list of pods', false);
  return new PodList(items.flatMap((item: unknown) => podIfUsable(item, onBroken)));
}

function podIfUsable(item: unknown, onBroken: (why: string) => void): readonly Pod[] {
  try {
    return [podOf(item)];
  } catch (error) {
    onBroken((error as Error).message);
    return [];
  }
}
