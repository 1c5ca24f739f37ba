import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { ensureDir, writeFileAtomic } from './files.ts';
import { checkSocketDirectory, removeStaleSocket } from './socket-path.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'files-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

describe('writeFileAtomic', () => {
  it('writes with the mode asked for, whatever the umask', async () => {
    const old = process.umask(0o777);
    try {
      await writeFileAtomic(join(root, 'secret'), 'x');
      await writeFileAtomic(join(root, 'public'), 'x', { mode: 0o644 });
    } finally {
      process.umask(old);
    }
    expect(modeOf(join(root, 'secret'))).toBe('600');
    expect(modeOf(join(root, 'public'))).toBe('644');
  });

  it('replaces content and mode, and leaves nothing else behind', async () => {
    const path = join(root, 'a');
    writeFileSync(path, 'old', { mode: 0o666 });
    await writeFileAtomic(path, Uint8Array.of(0x6e, 0x65, 0x77));
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(modeOf(path)).toBe('600');
    expect(readdirSync(root)).toEqual(['a']);
  });

  it('replaces a symbolic link, not what it points to', async () => {
    writeFileSync(join(root, 'target'), 'untouched');
    symlinkSync(join(root, 'target'), join(root, 'link'));
    await writeFileAtomic(join(root, 'link'), 'new');
    expect(readFileSync(join(root, 'target'), 'utf8')).toBe('untouched');
    expect(readFileSync(join(root, 'link'), 'utf8')).toBe('new');
  });

  it('leaves no trace when it fails', async () => {
    mkdirSync(join(root, 'directory', 'inner'), { recursive: true });
    await expect(writeFileAtomic(join(root, 'directory'), 'x')).rejects.toThrow();
    await expect(writeFileAtomic(join(root, 'missing', 'a'), 'x')).rejects.toThrow('ENOENT');
    expect(readdirSync(root)).toEqual(['directory']);
  });

  it('lets the last of many concurrent writers win whole', async () => {
    const path = join(root, 'a');
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    expect(texts).toContain(readFileSync(path, 'utf8'));
    expect(readdirSync(root)).toEqual(['a']);
  });

  it('works for the longest file name', async () => {
    await writeFileAtomic(join(root, 'n'.repeat(255)), 'x');
    expect(readdirSync(root)).toHaveLength(1);
  });
});

describe('ensureDir', () => {
  it('makes parents too, and is content with what is there', async () => {
    await ensureDir(join(root, 'a', 'b'), 0o700);
    await ensureDir(join(root, 'a', 'b'), 0o700);
    expect(modeOf(join(root, 'a', 'b'))).toBe('700');
  });

  it('names what is in the way', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(ensureDir(join(root, 'file'), 0o700)).rejects.toThrow(ConfigError);
    await expect(ensureDir(join(root, 'file', 'b'), 0o700)).rejects.toThrow(join(root, 'file', 'b'));
  });
});

describe('checkSocketDirectory', () => {
  it('accepts a private directory', async () => {
    await checkSocketDirectory(join(root, 'a.sock'));
  });

  it('refuses a path that is too long, counted in bytes', async () => {
    const fill = (bytes: number, unit = 'a') => join(root, unit.repeat(bytes - root.length - 1));
    await checkSocketDirectory(fill(107));
    await expect(checkSocketDirectory(fill(108))).rejects.toThrow('has 108 bytes; at most 107');
    await expect(checkSocketDirectory(join(root, 'é'.repeat(50)))).rejects.toThrow('at most 107');
  });

  it('refuses a directory that others can write to, at any height', async () => {
    mkdirSync(join(root, 'open', 'inner'), { recursive: true });
    chmodSync(join(root, 'open'), 0o777);
    await expect(checkSocketDirectory(join(root, 'open', 'a.sock'))).rejects.toThrow('writable by every user');
    await expect(checkSocketDirectory(join(root, 'open', 'inner', 'a.sock'))).rejects.toThrow(`directory ${root}/open`);
    chmodSync(join(root, 'open'), 0o1777);
    await checkSocketDirectory(join(root, 'open', 'a.sock'));
  });

  it('follows symbolic links', async () => {
    mkdirSync(join(root, 'open'));
    chmodSync(join(root, 'open'), 0o777);
    symlinkSync(join(root, 'open'), join(root, 'link'));
    await expect(checkSocketDirectory(join(root, 'link', 'a.sock'))).rejects.toThrow('writable by every user');
  });

  it.skipIf(process.getuid?.() !== 0)('refuses a directory of another user', async () => {
    mkdirSync(join(root, 'theirs'));
    chownSync(join(root, 'theirs'), 12_345, 12_345);
    await expect(checkSocketDirectory(join(root, 'theirs', 'a.sock'))).rejects.toThrow('belongs to user 12345');
  });

  it('refuses what is missing or no directory', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(checkSocketDirectory(join(root, 'missing', 'a.sock'))).rejects.toThrow('no such file or directory');
    await expect(checkSocketDirectory(join(root, 'file', 'a.sock'))).rejects.toThrow('is not a directory');
    await expect(checkSocketDirectory('a\0b')).rejects.toThrow('NUL');
  });
});

describe('removeStaleSocket', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(path: string): Promise<Server> {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return server;
  }

  it('is content when nothing is there', async () => {
    await removeStaleSocket(join(root, 'a.sock'));
  });

  it('refuses to take a live socket away', async () => {
    const path = join(root, 'a.sock');
    await listen(path);
    await expect(removeStaleSocket(path)).rejects.toThrow(`socket ${path} is in use by another process`);
    expect(existsSync(path)).toBe(true);
  });

  it('removes one that nobody answers on', async () => {
    const path = join(root, 'a.sock');
    const { spawnSync } = await import('node:child_process');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(path)).toBe(true);
    await removeStaleSocket(path);
    expect(existsSync(path)).toBe(false);
  });

  it('removes nothing that is no socket', async () => {
    const file = join(root, 'keys.json');
    writeFileSync(file, 'precious');
    symlinkSync(file, join(root, 'link'));
    await expect(removeStaleSocket(file)).rejects.toThrow('is not a socket');
    await expect(removeStaleSocket(join(root, 'link'))).rejects.toThrow('is not a socket');
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });
});
