import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { ConfigError } from '@steeple/daemon';
import { configOf } from '@steeple/daemon/config';
import { agentV1, bundleV1, entryV1, localauthorityV1 } from '@steeple/proto/server-api';
import { MemoryLogger, tempDir } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { parseServerConfig } from './config.ts';
import { createServer } from './server.ts';
import { TestServer } from './testing/test-server.ts';

describe('a server that starts again', () => {
  it('knows everything it knew', async () => {
    await using server = await TestServer.start();
    const agent = await server.attest();
    const id = await server.createEntry(agent, '/kept');
    const { value } = await server.admin(agentV1.Agent).createJoinToken({ ttl: 60 });
    const before = await server.admin(bundleV1.Bundle).getBundle({});
    await server.stop();
    await server.startAgain();

    expect(await server.admin(bundleV1.Bundle).getBundle({})).toEqual(before);
    const { entries } = await (await server.remote(entryV1.Entry, agent)).getAuthorizedEntries({});
    expect(entries.map((entry) => entry.id)).toEqual([id]);
    await server.attest(value);
  });

  it('makes new authorities when the keys are gone, and still trusts the old ones', async () => {
    await using server = await TestServer.start();
    const agent = await server.attest();
    await server.stop();
    await rm(server.path('data', 'keys.json'));
    await server.startAgain();

    const bundle = await server.admin(bundleV1.Bundle).getBundle({});
    expect([bundle.x509Authorities.length, bundle.jwtAuthorities.length]).toEqual([2, 2]);
    await (await server.remote(entryV1.Entry, agent)).getAuthorizedEntries({});
    expect(server.logger.messages('warn')).toContain('The key of an authority is gone, or its root');
  });

  it('makes new authorities when the database is gone but not the keys', async () => {
    await using server = await TestServer.start();
    const first = await server.admin(localauthorityV1.LocalAuthority).getX509AuthorityState({});
    await server.stop();
    for (const file of ['datastore.sqlite3', 'datastore.sqlite3-wal', 'datastore.sqlite3-shm']) {
      await rm(server.path('data', file), { force: true });
    }
    await server.startAgain();
    const { active } = await server.admin(localauthorityV1.LocalAuthority).getX509AuthorityState({});
    expect(active?.authorityId).not.toBe(first.active?.authorityId);
    await server.attest();
  });

  it('refuses a truncated keys file and leaves it as it was', async () => {
    await using server = await TestServer.start();
    await server.stop();
    const path = server.path('data', 'keys.json');
    const whole = await readFile(path, 'utf8');
    await writeFile(path, whole.slice(0, 100));
    await expect(server.startAgain()).rejects.toThrow(/keys file .*cut short/);
    expect(await readFile(path, 'utf8')).toBe(whole.slice(0, 100));
    await writeFile(path, whole);
    await server.startAgain();
  });

  it('refuses a corrupt database with its name', async () => {
    await using server = await TestServer.start();
    await server.stop();
    const path = server.path('data', 'datastore.sqlite3');
    for (const end of ['-wal', '-shm']) await rm(path + end, { force: true });
    await writeFile(path, 'this is no database, whatever its name says'.repeat(200));
    const error = await server.startAgain().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain('datastore.sqlite3');
  });
});

describe('a server that cannot start', () => {
  const start = async (settings: Record<string, unknown>): Promise<unknown> => {
    await using dir = await tempDir();
    const server = {
      trust_domain: 'example.org',
      bind_address: '127.0.0.1',
      bind_port: 0,
      data_dir: dir.join('data'),
      socket_path: dir.join('api.sock'),
      ...settings,
    };
    await using made = createServer(parseServerConfig(configOf({ server }), {}), { logger: new MemoryLogger() });
    return await made.start().catch((error: unknown) => error);
  };

  it('says that the port is in use', async () => {
    const other = createTcpServer();
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    const { port } = other.address() as { port: number };
    const error = await start({ bind_port: port });
    other.close();
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatch(new RegExp(`server\\.bind_port: port ${port} on 127\\.0\\.0\\.1 is in use`));
  });

  it('says that an address is not its own', async () => {
    expect(String(await start({ bind_address: '192.0.2.1' }))).toMatch(/server\.bind_address: 192\.0\.2\.1 is not/);
  });

  it('says that the data directory is no directory', async () => {
    await using dir = await tempDir();
    await writeFile(dir.join('file'), '');
    const error = await start({ data_dir: dir.join('file', 'data') });
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain('server.data_dir');
  });

  it('leaves a socket alone on which somebody listens', async () => {
    await using dir = await tempDir();
    await mkdir(dir.join('s'));
    const path = dir.join('s', 'api.sock');
    const other = createTcpServer();
    await new Promise<void>((resolve) => {
      other.listen(path, resolve);
    });
    const error = await start({ socket_path: path });
    other.close();
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(path);
  });

  it('can be stopped all the same, and started elsewhere', async () => {
    await using server = await TestServer.start();
    await server.stop();
    await server.startAgain();
    expect(server.running.addresses.port).toBeGreaterThan(0);
  });
});
