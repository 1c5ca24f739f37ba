import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { tempDir } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { LogFile } from './log-file.ts';

describe('LogFile', () => {
  it('appends, also to what is there, and goes on under its name after it was renamed', async () => {
    await using dir = await tempDir();
    const path = dir.join('agent.log');
    using first = LogFile.open(path, 'log_file');
    first.write('one\n');
    using log = LogFile.open(path, 'log_file');
    log.write('two\n');
    await rename(path, dir.join('agent.log.1'));
    log.write('three\n');
    expect(log.reopen()).toBeUndefined();
    log.write('four\n');
    expect(await readFile(dir.join('agent.log.1'), 'utf8')).toBe('one\ntwo\nthree\n');
    expect(await readFile(path, 'utf8')).toBe('four\n');
    expect((await stat(path)).mode & 0o007).toBe(0);
  });

  it('keeps the old file when there can be no new one', async () => {
    await using dir = await tempDir();
    const path = dir.join('agent.log');
    using log = LogFile.open(path, 'log_file');
    await rename(path, dir.join('old'));
    await mkdir(path);
    expect(log.reopen()).toMatch(/EISDIR/);
    log.write('still here\n');
    expect(await readFile(dir.join('old'), 'utf8')).toBe('still here\n');
  });

  it('refuses a path that cannot be, and says nothing after its end', async () => {
    await using dir = await tempDir();
    expect(() => LogFile.open(dir.join('missing', 'x.log'), 'agent.log_file')).toThrow(/agent.log_file: .*x.log/);
    const log = LogFile.open(dir.join('x.log'), 'log_file');
    log.close();
    log.close();
    log.write('late\n');
    expect(await readFile(dir.join('x.log'), 'utf8')).toBe('');
  });
});
