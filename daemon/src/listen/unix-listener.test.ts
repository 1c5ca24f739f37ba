import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../config-error.ts';
import { silentLogger } from '../logger.ts';
import { authority, callHeaders, coded, emptyMessage, frame, preface, settings, text } from './hpack.fixture.ts';
import { dial, exchange, makeHost, rig, until } from './listen.fixture.ts';
import { UnixListener } from './unix-listener.ts';

const caller = join(import.meta.dirname, 'caller.fixture.ts');

describe.each([false, true])('with repairAuthority %s', (repairAuthority) => {
  it('never mixes up peers: 4 processes, 200 connections; and frees what a killed one held', async () => {
    await using r = await rig({ repairAuthority });
    const processes = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--disable-warning=ExperimentalWarning', caller, r.path, '50'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const seen = new Map<string, number>();
    for (const child of processes) {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      for (const { keys, pids } of JSON.parse(line) as { keys: string[]; pids: string[] }[]) {
        expect(new Set(pids)).toEqual(new Set([String(child.pid)]));
        expect(new Set(keys).size).toBe(1);
        expect(seen.has(keys[0] ?? '')).toBe(false);
        seen.set(keys[0] ?? '', child.pid ?? 0);
      }
    }
    expect(seen.size).toBe(200);
    expect(r.host.openCalls).toBe(12);
    const [victim, ...others] = processes;
    victim?.kill('SIGKILL');
    await until(() => r.host.openCalls === 9);
    for (const child of others) child.kill('SIGKILL');
    await until(() => r.host.openCalls === 0 && r.listener.connections === 0 && r.host.connections === 0);
  });

  it('survives garbage, leaks no descriptor, and goes on serving', async () => {
    await using r = await rig({ repairAuthority });
    await r.entries().getEntry({});
    const before = readdirSync('/proc/self/fd').length;
    let seed = 7;
    const random = (): number => (seed = (seed * 48271) % 0x7fffffff);
    const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random() & 0xff));
    const headers = frame(1, 4, 1, callHeaders('/S/M', authority('/x')));
    const bad = [
      () => Buffer.alloc(0),
      () => noise(random() % 300),
      () => Buffer.concat([preface, noise(200)]),
      () => preface.subarray(0, random() % 24),
      () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      () => Buffer.concat([preface, settings, frame(1, 4, 1, noise(60))]),
      () => Buffer.concat([preface, settings, headers, frame(0, 1, 1, noise(40))]),
      () => Buffer.concat([preface, settings, headers, frame(3, 0, 1, Buffer.alloc(4))]),
      () => Buffer.concat([preface, settings, frame(9, 4, 1, noise(10))]),
    ];
    for (let round = 0; round < 300; round++) {
      const socket = connect(r.path);
      socket.on('error', () => {});
      socket.write(bad[round % bad.length]?.() ?? '');
      if (round % 3 === 0) socket.end();
      else socket.once('connect', () => setImmediate(() => socket.destroy()));
      socket.resume();
      if (round % 50 === 49) await once(socket, 'close');
    }
    await until(() => r.listener.connections === 1);
    expect((await r.entries().getEntry({})).hint).toBe('unix');
    await until(() => readdirSync('/proc/self/fd').length <= before + 4);
  });
});

describe('raw authority', () => {
  const path = '/spire.api.server.entry.v1.Entry/GetEntry';
  const call = (authorityField: Uint8Array): Buffer =>
    Buffer.concat([preface, settings, frame(1, 4, 1, callHeaders(path, authorityField)), emptyMessage(1)]);
  const codedName = Buffer.concat([Buffer.from([0x40]), coded('b83b5339ec327d7f')]);
  const values = ['/run/steeple/api.sock', 'unix:/run/x', 'tmp/x', 'a b', 'user@host', 'ü'];

  it.each(values)('%s is answered with the repair and reset without', async (value) => {
    await using repairing = await rig({ repairAuthority: true });
    await using plain = await rig();
    expect(await exchange(repairing.path, call(authority(value)), 1)).toBe('answer');
    expect(await exchange(plain.path, call(authority(value)), 1)).toBe('reset');
    // The name in Huffman code: that it is reset without the repair proves that the code is right.
    const spelled = Buffer.concat([codedName, text(value)]);
    expect(await exchange(repairing.path, call(spelled), 1)).toBe('answer');
    expect(await exchange(plain.path, call(spelled), 1)).toBe('reset');
  });

  it('keeps the compression state right over many calls of one connection', async () => {
    await using r = await rig({ repairAuthority: true });
    // The first call enters its five fields into the dynamic table (indices 62 to 66), the later ones only name them.
    const block = Buffer.concat([callHeaders(path, authority('/run/x.sock'))]);
    const indexed = Buffer.from([0x83, 0x86, 0x80 | 65, 0x80 | 64, 0x80 | 63, 0x80 | 62]);
    const bytes = Buffer.concat([
      preface,
      settings,
      frame(1, 4, 1, block),
      emptyMessage(1),
      ...[3, 5, 7].flatMap((stream) => [frame(1, 4, stream, indexed), emptyMessage(stream)]),
    ]);
    expect(await exchange(r.path, bytes, 7)).toBe('answer');
  });

  it('refuses too many header fields without ending the process', async () => {
    await using r = await rig({ repairAuthority: true });
    const many = Buffer.concat(Array.from({ length: 300 }, () => Buffer.from([0x82])));
    const block = Buffer.concat([callHeaders(path, authority('/x')), many]);
    const bytes = Buffer.concat([preface, settings, frame(1, 4, 1, block), emptyMessage(1)]);
    expect(await exchange(r.path, bytes, 1)).not.toBe('answer');
    expect((await r.entries().getEntry({})).hint).toBe('unix');
  });
});

describe('the socket itself', () => {
  it.each([
    ['public', 0o777],
    ['private', 0o660],
  ] as const)('has mode %s whatever the umask is, and leaves the umask alone', async (mode, bits) => {
    for (const umask of [0, 0o022, 0o777]) {
      const old = process.umask(0o022);
      const host = makeHost();
      const dir = mkdtempSync(join(tmpdir(), 'steeple-mode-'));
      process.umask(umask);
      try {
        const listener = await UnixListener.listen(join(dir, 's'), { host, mode, logger: silentLogger });
        expect(process.umask()).toBe(umask);
        expect(statSync(listener.path).mode & 0o777).toBe(bits);
        await listener.close();
        expect(existsSync(listener.path)).toBe(false);
      } finally {
        process.umask(old);
        rmSync(dir, { recursive: true, force: true });
      }
    }
  });

  it('replaces a stale socket, and refuses a live one, a file, and a missing directory', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'steeple-stale-'));
    const options = { host: makeHost(), mode: 'private', logger: silentLogger } as const;
    try {
      const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
      await once(spawn(process.execPath, ['-e', script, join(dir, 's')]), 'exit');
      expect(existsSync(join(dir, 's'))).toBe(true);
      const listener = await UnixListener.listen(join(dir, 's'), options);
      await expect(UnixListener.listen(join(dir, 's'), options)).rejects.toThrow(ConfigError);
      await listener.close();
      writeFileSync(join(dir, 'file'), '');
      await expect(UnixListener.listen(join(dir, 'file'), options)).rejects.toThrow(ConfigError);
      await expect(UnixListener.listen(join(dir, 'none', 's'), options)).rejects.toThrow(ConfigError);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('refuses connections beyond the limits and takes them again when others left', async () => {
    await using r = await rig({ maxConnectionsPerUid: 2 });
    const [first] = [await dial(r.path), await dial(r.path)];
    const third = await dial(r.path);
    third.resume();
    await once(third, 'close');
    expect(r.listener.connections).toBe(2);
    first?.destroy();
    await until(() => r.listener.connections === 1);
    expect((await r.entries().getEntry({})).hint).toBe('unix');
  });
});
