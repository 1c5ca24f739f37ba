import { IssuerError } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { PeerCredentials } from '@steeple/daemon/listen';
import { orAborted } from '@steeple/proto/grpc';
import type { ContainerLocation } from '../container/locate-container.ts';
import { KubeletError } from './kubelet-error.ts';
import type { Container, Pod } from './pod.ts';
import type { PodList } from './pod-list.ts';
import type { PodView, SeenPods } from './pod-view.ts';

export interface FindPodOptions {
  readonly view: PodView;
  readonly clock: Clock;
  /** Seconds for which a list is good for a container that stands in it. */
  readonly maxAge: number;
  /** Seconds from one question to the kubelet to the next. */
  readonly interval: number;
  /** How often the kubelet is asked for a container that it does not know yet. */
  readonly attempts: number;
  /** Whether a pod is enough while one of its containers is being started, which the kubelet does not name then. */
  readonly podIsEnough: boolean;
}

/** A pod, and its container unless it is one that the kubelet does not name yet. */
export interface FoundPod {
  readonly pod: Pod;
  readonly container: Container | undefined;
}

/**
 * What the kubelet says of a container that a process claims to be in. Undefined if it knows none, and the place of the
 * process is not that of a pod either.
 *
 * F1. Only a container that the kubelet itself names counts; the pod must be the one that the process is in.
 * F2. A list that names it is good for a while, unless the pod was still being started: then it is asked again.
 * F3. For one that no list names it is asked until one does, a bounded number of times, all waiting together.
 *
 * @throws {IssuerError} `unavailable` if the kubelet cannot be asked or does not know the container in time;
 *   `failed-precondition` if it says otherwise than the process
 */
export async function findPod(
  container: ContainerLocation,
  options: FindPodOptions,
  peer: Pick<PeerCredentials, 'isAlive'>,
  signal: AbortSignal,
): Promise<FoundPod | undefined> {
  const { view, clock, maxAge, interval, attempts, podIsEnough } = options;
  const asked = clock.monotonic();
  let next = () => view.notOlderThan(maxAge);
  for (let questions = 0; ; ) {
    const { seen, trouble } = await orAborted(outcomeOf(next()), signal);
    if (seen !== undefined) {
      const answer = lookUp(container, seen.pods, podIsEnough);
      const fresh = seen.askedAt >= asked - interval;
      if (answer !== undefined && (fresh || isSettled(answer))) return answer; // F2
      // Other engines have containers too, and it is not for the kubelet to know them.
      if (container.podUid === undefined && seen.askedAt >= asked) return undefined;
      next = () => view.after(seen);
    }
    if (!peer.isAlive()) throw new IssuerError('permission-denied', 'the calling process is gone');
    if (seen === undefined || seen.askedAt >= asked) questions += 1;
    if (trouble !== undefined && (!trouble.passing || questions >= attempts))
      throw new IssuerError('unavailable', trouble.message, { cause: trouble });
    if (questions >= attempts) throw unknown(container); // F3
  }
}

interface Outcome {
  readonly seen?: SeenPods;
  readonly trouble?: KubeletError;
}

async function outcomeOf(asking: Promise<SeenPods>): Promise<Outcome> {
  try {
    return { seen: await asking };
  } catch (error) {
    if (error instanceof KubeletError) return { trouble: error };
    throw error;
  }
}

/** F1 */
function lookUp({ containerId, podUid }: ContainerLocation, pods: PodList, podIsEnough: boolean): FoundPod | undefined {
  const found = pods.container(containerId);
  if (found !== undefined) {
    if (podUid !== undefined && found.pod.uid !== podUid)
      throw new IssuerError('failed-precondition', 'the kubelet knows the container of the process in another pod');
    return found;
  }
  if (pods.isEphemeral(containerId))
    throw new IssuerError('failed-precondition', 'a container that was added to look into a pod has no identity');
  const pod = podUid === undefined ? undefined : pods.pod(podUid);
  return podIsEnough && pod !== undefined && isStarting(pod) ? { pod, container: undefined } : undefined;
}

/** Whether nothing more is to be expected of a pod's images, which are told as each container is started. */
function isSettled({ pod, container }: FoundPod): boolean {
  return container !== undefined && [...pod.containers, ...pod.initContainers].every(({ id }) => id !== '');
}

/** Whether the pod has a container that the kubelet may not name yet. */
function isStarting({ containers, initContainers }: Pod): boolean {
  return containers.some(({ running }) => !running) || initContainers.some(({ id }) => id === '');
}

function unknown({ containerId }: ContainerLocation): IssuerError {
  return new IssuerError('unavailable', `the kubelet does not know the container of the process (${containerId})`);
}
