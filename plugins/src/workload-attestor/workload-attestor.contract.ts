import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { peerOf } from './peer-for-tests.ts';
import type { WorkloadAttestor } from './workload-attestor.ts';

/** What every workload attestor must do with a process that exists, and with one that does not. */
export function workloadAttestorContract(make: () => WorkloadAttestor): void {
  const { signal } = new AbortController();

  describe('a workload attestor', () => {
    it('tells facts of its own type, each once', async () => {
      const attestor = make();
      const selectors = await attestor.attest(peerOf(process.pid), signal);
      expect(selectors.every(({ type, value }) => type === attestor.type && value !== '')).toBe(true);
      expect(new Set(selectors.map(({ value }) => value)).size).toBe(selectors.length);
    });

    it('refuses a process that has ended', async () => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      const peer = peerOf(child.pid ?? 0);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await expect(make().attest(peer, signal)).rejects.toMatchObject({ code: 'permission-denied' });
    });

    it('refuses another process with the same pid', async () => {
      const recycled = { ...peerOf(process.pid), isAlive: () => false };
      await expect(make().attest(recycled, signal)).rejects.toMatchObject({ code: 'permission-denied' });
    });

    it('refuses a process that ends while it is looked at', async () => {
      let looks = 0;
      const dying = { ...peerOf(process.pid), isAlive: () => ++looks === 1 };
      await expect(make().attest(dying, signal)).rejects.toMatchObject({ code: 'permission-denied' });
    });

    it.each([0, -1, 2 ** 30])('refuses the pid %d', async (pid) => {
      const impossible = { ...peerOf(process.pid), pid, isAlive: () => false };
      await expect(make().attest(impossible, signal)).rejects.toMatchObject({ code: 'permission-denied' });
    });

    it('stops when it is told to', async () => {
      const aborted = AbortSignal.abort(new Error('too late'));
      await expect(make().attest(peerOf(process.pid), aborted)).rejects.toThrow('too late');
    });
  });
}
