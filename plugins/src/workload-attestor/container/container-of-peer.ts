import { IssuerError } from '@steeple/core';
import { type PeerCredentials, readSmallFile } from '@steeple/daemon/listen';
import { ProcessDirectory } from '../unix/process-directory.ts';
import { type ContainerLocation, locateContainer } from './locate-container.ts';

/** A line of at most PATH_MAX for each of the dozen hierarchies there can be. */
const CGROUP_BYTES = 64 * 1024;
/** A process may have a hundred thousand mounts. */
const MOUNTINFO_BYTES = 256 * 1024;

/** A process that is held, and the container that its control groups name. */
export interface ContainerOfPeer extends ContainerLocation {
  /** The process's `/proc/<pid>/cgroup`, in which the container was found. */
  readonly cgroup: string;
}

/**
 * Tells the container of a process to `use`, and gives its answer if the process is still the same one in the same control
 * groups afterwards. Undefined for a process in no container; `use` is not called then.
 *
 * @param locate - finds the container in other ways than `locateContainer`
 * @throws {IssuerError} `permission-denied` if the process is gone, `internal` if it moved meanwhile, and as
 *   `locateContainer` does.
 */
export async function withContainerOf<T>(
  peer: PeerCredentials,
  use: (container: ContainerOfPeer) => Promise<T>,
  locate: typeof locateContainer = locateContainer,
): Promise<T | undefined> {
  await using process = await ProcessDirectory.open(peer);
  const cgroup = await cgroupOf(process);
  const own = readSmallFile('/proc/self/cgroup', CGROUP_BYTES);
  // Mounts may be many, and are only looked at where the groups name nothing.
  const container = locate(cgroup, '', own) ?? locate(cgroup, await process.text('mountinfo', MOUNTINFO_BYTES), own);
  const answer = container === undefined ? undefined : await use({ ...container, cgroup });
  const after = await cgroupOf(process);
  // One that has ended is in no group any more, and that is not what is to be said of it.
  process.requireAlive();
  if (after !== cgroup) {
    throw new IssuerError('internal', 'the process changed its control groups while it was looked at');
  }
  return answer;
}

async function cgroupOf(process: ProcessDirectory): Promise<string> {
  const text = await process.text('cgroup', CGROUP_BYTES + 1);
  if (text.length > CGROUP_BYTES) throw new IssuerError('internal', 'the list of its control groups is too long');
  return text;
}
