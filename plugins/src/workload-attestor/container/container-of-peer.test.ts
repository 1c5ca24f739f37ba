import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { peerOf } from '../peer-for-tests.ts';
import { withContainerOf } from './container-of-peer.ts';

/** Where cgroup v2 is mounted, if new groups can be made there. */
const root = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(join(path, 'cgroup.procs'))) ?? '';
const parent = join(root, `steeple-test-${process.pid}`);
const canMakeGroups = (() => {
  try {
    if (root !== '') mkdirSync(parent);
    return root !== '';
  } catch {
    return false;
  }
})();
const groups: string[] = [];
const children: ChildProcess[] = [];

afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(async () => {
  for (const group of [...groups.toReversed(), ...(canMakeGroups ? [parent] : [])]) await removed(group);
});

/** A group can go only when its last process has. */
async function removed(group: string): Promise<void> {
  for (let tries = 0; existsSync(group); tries++) {
    try {
      rmdirSync(group);
    } catch (error) {
      if (tries > 200) throw error;
      await delay(10);
    }
  }
}

function newGroup(): { readonly path: string; readonly id: string } {
  const id = randomBytes(32).toString('hex');
  const path = join(parent, id);
  mkdirSync(path);
  groups.push(path);
  return { path, id };
}

function processIn(group?: string): number {
  const child = spawn('sleep', ['1000']);
  children.push(child);
  const { pid = 0 } = child;
  if (group !== undefined) move(pid, group);
  return pid;
}

const move = (pid: number, group: string) => writeFileSync(join(group, 'cgroup.procs'), String(pid));

describe('the container of a peer', () => {
  it('is none of an ordinary process, which is no error', async () => {
    const use = () => Promise.reject(new Error('never called'));
    expect(await withContainerOf(peerOf(processIn()), use)).toBeUndefined();
  });

  it.skipIf(!canMakeGroups)('is the one its group names', async () => {
    const { path, id } = newGroup();
    const answer = await withContainerOf(peerOf(processIn(path)), async (container) => container);
    expect(answer).toMatchObject({ containerId: id, podUid: undefined, cgroup: expect.stringContaining(id) });
  });

  it.skipIf(!canMakeGroups)('counts for nothing when the process has moved meanwhile', async () => {
    const [first, second] = [newGroup(), newGroup()];
    const pid = processIn(first.path);
    const answer = withContainerOf(peerOf(pid), async () => move(pid, second.path));
    await expect(answer).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('changed') });
  });

  it.skipIf(!canMakeGroups)('counts for nothing when the process has ended meanwhile', async () => {
    const peer = peerOf(processIn(newGroup().path));
    const answer = withContainerOf(peer, async () => {
      process.kill(peer.pid, 'SIGKILL');
      while (peer.isAlive()) await delay(2);
    });
    await expect(answer).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it.skipIf(!canMakeGroups)('leaves the failure of its use as it is', async () => {
    const pid = processIn(newGroup().path);
    await expect(withContainerOf(peerOf(pid), () => Promise.reject(new Error('engine')))).rejects.toThrow('engine');
  });

  it('is nothing of a process that is gone', async () => {
    const gone = { ...peerOf(process.pid), isAlive: () => false };
    await expect(withContainerOf(gone, async () => 1)).rejects.toMatchObject({ code: 'permission-denied' });
  });
});
