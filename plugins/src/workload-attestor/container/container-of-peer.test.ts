import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { peerOf } from '../peer-for-tests.ts';
import { withContainerOf } from './container-of-peer.ts';
import { TestGroups } from './groups-for-tests.ts';

const groups = new TestGroups();
afterEach(() => groups.kill());
afterAll(() => groups.remove());
const itInGroups = it.skipIf(!groups.canBeMade);

describe('the container of a peer', () => {
  it('is none of an ordinary process, which is no error', async () => {
    const use = () => Promise.reject(new Error('never called'));
    expect(await withContainerOf(peerOf(groups.spawn()), use)).toBeUndefined();
  });

  itInGroups('is the one its group names', async () => {
    const { path, id } = groups.create();
    const answer = await withContainerOf(peerOf(groups.spawn(path)), async (container) => container);
    expect(answer).toMatchObject({ containerId: id, podUid: undefined, cgroup: expect.stringContaining(id) });
  });

  itInGroups('counts for nothing when the process has moved meanwhile', async () => {
    const [first, second] = [groups.create(), groups.create()];
    const pid = groups.spawn(first.path);
    const answer = withContainerOf(peerOf(pid), async () => groups.move(pid, second.path));
    await expect(answer).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('changed') });
  });

  itInGroups('counts for nothing when the process has ended meanwhile', async () => {
    const peer = peerOf(groups.spawn(groups.create().path));
    const answer = withContainerOf(peer, async () => {
      process.kill(peer.pid, 'SIGKILL');
      while (peer.isAlive()) await delay(2);
    });
    await expect(answer).rejects.toMatchObject({ code: 'permission-denied' });
  });

  itInGroups('leaves the failure of its use as it is', async () => {
    const pid = groups.spawn(groups.create().path);
    await expect(withContainerOf(peerOf(pid), () => Promise.reject(new Error('engine')))).rejects.toThrow('engine');
  });

  it('is nothing of a process that is gone', async () => {
    const gone = { ...peerOf(process.pid), isAlive: () => false };
    await expect(withContainerOf(gone, async () => 1)).rejects.toMatchObject({ code: 'permission-denied' });
  });
});
