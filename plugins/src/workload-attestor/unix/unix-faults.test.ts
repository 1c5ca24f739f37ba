import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { leavesNothingBehind } from '../leaves-nothing-behind.contract.ts';
import { peerOf } from '../peer-for-tests.ts';
import { UnixAttestor } from '../unix.ts';

const MIB = 2 ** 20;
const READY = 'console.log("ready"); setInterval(() => {}, 1000)';
const directory = mkdtempSync(join(tmpdir(), 'steeple-unix-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

const attestor = (discover: boolean, limit = 0) =>
  new UnixAttestor({ discover_workload_path: discover, workload_size_limit: limit, monotonic: () => 0 });
const { signal } = new AbortController();

async function running(command = process.execPath): Promise<number> {
  const child = spawn(command, ['-e', READY], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

describe('unix, when things go wrong', () => {
  it('reads an executable of hundreds of MiB in pieces, while others are told at once what needs no reading', async () => {
    const large = join(directory, 'large');
    copyFileSync(process.execPath, large);
    // What follows the end of the program is read all the same.
    truncateSync(large, statSync(large).size + 300 * MIB);
    const pid = await running(large);
    const order: string[] = [];
    const before = process.memoryUsage().rss;
    const slow = attestor(true)
      .attest(peerOf(pid), signal)
      .then((found) => order.push(found.some(({ value }) => value.startsWith('sha256:')) ? 'large' : 'nothing'));
    await attestor(false).attest(peerOf(pid), signal);
    order.push('small');
    await slow;
    expect(order).toEqual(['small', 'large']);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
    const limited = attestor(true, 100 * MIB).attest(peerOf(pid), signal);
    await expect(limited).rejects.toThrow(`workload_size_limit (${100 * MIB} bytes)`);
  });

  const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
  it.skipIf(!canUnshare)('refuses a process whose number was given to another', () => {
    const fixture = join(import.meta.dirname, 'recycled-pid.fixture.ts');
    const args = ['--pid', '--fork', '--mount-proc', process.execPath, fixture];
    const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
    expect(JSON.parse(stdout || stderr)).toEqual([expect.stringContaining('uid:0'), 'recycled', 'permission-denied']);
  });

  it('leaves neither memory nor files behind after 5,000 attestations', async () => {
    await leavesNothingBehind(attestor(true), await running());
  });
});
