import { IssuerError } from '@steeple/core';
import { KubeletError } from './kubelet-error.ts';
import { type ItemRange, listItems } from './list-items.ts';
import { type Container, type Pod, podOf } from './pod.ts';

/** A container and the pod that it is in. */
export interface FoundContainer {
  readonly pod: Pod;
  readonly container: Container;
}

/**
 * The pods of a node at one moment, as the kubelet's `PodList` has them. A pod is read when it is asked for; one that cannot
 * be understood is not there: nobody gets anything from it.
 */
export class PodList {
  readonly #json: Buffer;
  readonly #ranges: readonly ItemRange[];
  readonly #onBroken: (why: string) => void;
  readonly #read = new Map<number, Pod | undefined>();
  readonly #found = new Map<string, FoundContainer>();

  /**
   * @param onBroken - is told why a pod cannot be understood
   * @throws {KubeletError} if it is no list of pods
   */
  constructor(json: Buffer, onBroken: (why: string) => void) {
    const ranges = listItems(json);
    if (ranges === undefined) throw new KubeletError('the kubelet answered something that is no list of pods', false);
    this.#json = json;
    this.#ranges = ranges;
    this.#onBroken = onBroken;
  }

  pod(uid: string): Pod | undefined {
    return this.#naming(uid).find((pod) => pod.uid === uid);
  }

  /** @throws {IssuerError} `internal` if two containers have this id */
  container(id: string): FoundContainer | undefined {
    const known = this.#found.get(id);
    if (known !== undefined) return known;
    const [found, other] = this.#naming(id).flatMap((pod) => containersOf(pod, id));
    if (other !== undefined) throw new IssuerError('internal', 'the kubelet names two containers with the same id');
    if (found !== undefined) this.#found.set(id, found);
    return found;
  }

  /** Whether it is one that was added to a running pod to look into it. */
  isEphemeral(id: string): boolean {
    return this.#naming(id).some(({ ephemeralContainerIds }) => ephemeralContainerIds.includes(id));
  }

  /** The pods in which this stands, anywhere. */
  #naming(text: string): readonly Pod[] {
    const pods: Pod[] = [];
    let at = this.#json.indexOf(text);
    for (let index = 0; at >= 0 && index < this.#ranges.length; index++) {
      const { start = 0, end = 0 } = this.#ranges[index] ?? {};
      if (at >= end) continue;
      const pod = at >= start ? this.#podAt(index) : undefined;
      if (pod !== undefined) pods.push(pod);
      at = this.#json.indexOf(text, end);
    }
    return pods;
  }

  #podAt(index: number): Pod | undefined {
    if (!this.#read.has(index)) this.#read.set(index, this.#parse(index));
    return this.#read.get(index);
  }

  #parse(index: number): Pod | undefined {
    const { start, end } = this.#ranges[index] ?? {};
    try {
      return podOf(JSON.parse(this.#json.toString('utf8', start, end)));
    } catch (error) {
      // The parser's own message would quote the answer.
      this.#onBroken(error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message);
      return undefined;
    }
  }
}

function containersOf(pod: Pod, id: string): readonly FoundContainer[] {
  const containers = [...pod.containers, ...pod.initContainers].filter((container) => container.id === id);
  return containers.map((container) => ({ pod, container }));
}
