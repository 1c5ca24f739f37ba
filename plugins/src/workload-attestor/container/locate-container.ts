import { IssuerError } from '@steeple/core';
import { containerIn, type NamedContainer, podIn } from './cgroup-names.ts';
import { type CgroupPath, cgroupMountRoots, parseCgroupPaths } from './cgroup-paths.ts';

/**
 * The container whose name is in the control groups of a process. A name is a claim: who may make groups may call them as
 * he likes, so it counts for nothing until the engine or the kubelet has confirmed it.
 */
export interface ContainerLocation {
  /** 64 lower-case hexadecimal digits. */
  readonly containerId: string;
  /** As the Kubernetes API writes it: with dashes, or 32 digits for a static pod. */
  readonly podUid: string | undefined;
  /** Whether the group has the name that podman gives. */
  readonly podman: boolean;
  /** The user in whose login slice it is. He made the group, and its name. */
  readonly loginUid: number | undefined;
}

/** The container of one path, and how it was come by. */
interface Finding extends ContainerLocation {
  /** Whether it lies beyond what surrounds the reader too. */
  readonly beyond: boolean;
}

/**
 * Finds the container of a process in its `/proc/<pid>/cgroup`. Undefined if it is in none.
 *
 * L1. The innermost name counts, as engines may run within containers; but a name within another container that does
 *     not also surround the reader was chosen by that container, and is refused.
 * L2. All hierarchies that name a container name the same.
 * L3. A pod is only believed directly around its container, and not within what a user who has logged in manages.
 * L4. `/proc/<pid>/mountinfo` is never believed: a process can make mounts of any group. If only they name a container,
 *     the process is refused.
 *
 * @param cgroup - `/proc/<pid>/cgroup`
 * @param mountinfo - `/proc/<pid>/mountinfo`, or its beginning; only looked at where `cgroup` names nothing
 * @param own - the reader's own `/proc/self/cgroup`
 * @throws {IssuerError} `failed-precondition` where a rule refuses, `internal` for a file that cannot be understood
 */
export function locateContainer(cgroup: string, mountinfo: string, own = '0::/'): ContainerLocation | undefined {
  const ownPaths = parseCgroupPaths(own);
  const findings = parseCgroupPaths(cgroup).flatMap((path) => findIn(path, ownPaths));
  const beyond = findings.filter((finding) => finding.beyond);
  const [first, ...others] = beyond.length > 0 ? beyond : findings;
  if (first === undefined) {
    if (cgroupMountRoots(mountinfo).some((root) => root.some((name) => containerIn(name) !== undefined))) {
      throw refused('only its mounts name a container, and those a process can make itself'); // L4
    }
    return undefined;
  }
  // L2
  if (others.some(({ containerId }) => containerId !== first.containerId))
    throw refused('they name several containers');
  const withPod = [first, ...others].filter(({ podUid }) => podUid !== undefined);
  if (withPod.some(({ podUid }) => podUid !== withPod[0]?.podUid)) throw refused('they name several pods');
  const { containerId, podUid, podman, loginUid } = withPod[0] ?? first;
  return { containerId, podUid, podman, loginUid };
}

function findIn({ hierarchy, segments }: CgroupPath, own: readonly CgroupPath[]): readonly Finding[] {
  const index = segments.findLastIndex((name) => containerIn(name) !== undefined);
  const name = segments[index];
  const container = name === undefined ? undefined : containerIn(name);
  if (name === undefined || container === undefined) return [];
  const shared = sharedLength(segments, own.find((path) => path.hierarchy === hierarchy)?.segments ?? []);
  const around = segments.slice(shared, index);
  if (around.some((outer, at) => isOuterContainer(outer, container, at === around.length - 1))) {
    throw refused('they name a container within a container'); // L1
  }
  const podUid = podIn(name) ?? podIn(segments[index - 1] ?? '');
  // L3
  if (podUid !== undefined && around.some((outer) => /^user(@|-)\d+\.(service|slice)$/.test(outer))) {
    throw refused('they name a pod in a place that a user manages');
  }
  const { containerId } = container;
  const podman = container.podman || segments[index - 1] === 'libpod';
  return [{ containerId, podUid, podman, loginUid: loginOf(segments), beyond: index >= shared }];
}

/** Podman puts the containers of a pod into a group that has only the pod's id for its name. */
function isOuterContainer(name: string, inner: NamedContainer, isParent: boolean): boolean {
  return containerIn(name) !== undefined && !(isParent && inner.podman && /^[0-9a-f]{64}$/.test(name));
}

/** The systemd of the machine names the slices of those who have logged in, and nobody else can make groups there. */
export function loginOf(segments: readonly string[]): number | undefined {
  const [top, slice] = segments.slice(segments.findIndex((name) => name !== '..'));
  const [, uid] = (top === 'user.slice' && /^user-(\d{1,10})\.slice$/.exec(slice ?? '')) || [];
  return uid === undefined ? undefined : Number(uid);
}

function sharedLength(segments: readonly string[], own: readonly string[]): number {
  const end = segments.findIndex((name, index) => name !== own[index]);
  return end < 0 ? segments.length : end;
}

function refused(why: string): IssuerError {
  return new IssuerError('failed-precondition', `the control groups of the process are refused: ${why}`);
}
