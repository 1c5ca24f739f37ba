import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimDataDir } from './claim-data-dir.ts';

const HOLDER = `
  const { claimDataDir } = await import(process.argv[1]);
  globalThis.lock = await claimDataDir(process.argv[2], 'agent');
  console.log('locked');
  setInterval(() => {}, 1000);
`;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'steeple-lock-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const refusalOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'was not refused',
    (error: unknown) => String(error),
  );

describe('claimDataDir', () => {
  it('is held by one at a time, and again once let go', async () => {
    const first = await claimDataDir(dir, 'agent');
    expect(await refusalOf(claimDataDir(dir, 'agent'))).toBe(
      `ConfigError: ${dir} is in use by another agent (process ${process.pid}): stop it or use another`,
    );
    await first[Symbol.asyncDispose]();
    await (await claimDataDir(dir, 'agent'))[Symbol.asyncDispose]();
  });

  it('lets a server and an agent share a directory, as SPIRE does', async () => {
    await using agent = await claimDataDir(dir, 'agent');
    await using server = await claimDataDir(dir, 'server');
    expect([agent.path, server.path]).toEqual([join(dir, 'agent.lock'), join(dir, 'server.lock')]);
  });

  it('names the other process, and holds nobody up once that was killed', async () => {
    const module = new URL('./claim-data-dir.ts', import.meta.url).href;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, module, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    expect(await refusalOf(claimDataDir(dir, 'agent'))).toContain(`another agent (process ${holder.pid})`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await claimDataDir(dir, 'agent'))[Symbol.asyncDispose]();
  });

  it('takes a file that a crash left, whatever is in it, and follows no link', async () => {
    await writeFile(join(dir, 'agent.lock'), 'left over');
    await chmod(join(dir, 'agent.lock'), 0o600);
    await using lock = await claimDataDir(dir, 'agent');
    expect(await readFile(lock.path, 'utf8')).toBe('left over');
    await symlink('/etc/passwd', join(dir, 'server.lock'));
    expect(await refusalOf(claimDataDir(dir, 'server'))).toMatch(/cannot open the lock .*server\.lock: ELOOP/);
  });

  it('makes the directory, for nobody else to enter', async () => {
    const inside = join(dir, 'deeper', 'data');
    await using lock = await claimDataDir(inside, 'agent');
    expect((await stat(lock.path)).mode & 0o777).toBe(0o600);
    expect((await stat(inside)).mode & 0o777).toBe(0o700);
  });
});
