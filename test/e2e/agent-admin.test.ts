import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { LOG_LEVELS } from '@steeple/daemon';
import { debugV1, delegatedidentityV1, loggerV1, types } from '@steeple/proto/agent-api';
import { Code, createClient } from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import { parseCertificates, privateKeyFromPkcs8, spkiOf } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { Home, Reader, until } from './home.ts';

const OTHER = [{ type: 'test', value: 'other:1' }];

async function openHome(more: Record<string, unknown> = {}) {
  const dir = `/tmp/st-admin-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const socket = join(dir, 'admin.sock');
  const home = await Home.open({
    agent: { admin_socket_path: socket, authorized_delegates: ['spiffe://home.test/delegate'], ...more },
  });
  const settings = { address: `unix:${socket}`, credentials: credentials.createInsecure() };
  const clients = {
    delegated: createClient(delegatedidentityV1.DelegatedIdentity, settings),
    debug: createClient(debugV1.Debug, settings),
    logger: createClient(loggerV1.Logger, settings),
    workload: createClient(SpiffeWorkloadAPI, settings),
  };
  return {
    home,
    ...clients,
    async [Symbol.asyncDispose]() {
      for (const client of Object.values(clients)) client.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

const paths = ({ x509Svids }: delegatedidentityV1.SubscribeToX509SVIDsResponse) =>
  x509Svids.map(({ x509Svid }) => x509Svid?.id?.path);

describe('a delegate', () => {
  it('follows the identities of others, and no longer than it is a delegate', async () => {
    await using admin = await openHome();
    const { home, delegated } = admin;
    const mine = await home.addEntry({ path: '/delegate', id: 'mine' });
    await home.addEntry({ path: '/other', id: 'a-other', selectors: OTHER, hint: 'h' });
    await home.addEntry({ path: '/twin', id: 'b-twin', selectors: OTHER, hint: 'h' });
    await home.addEntry({ path: '/boss', selectors: OTHER, more: { admin: true } });
    await home.addEntry({ path: '/below', selectors: OTHER, more: { downstream: true } });
    await home.ready();

    using svids = new Reader((options) => delegated.subscribeToX509SVIDs({ selectors: OTHER, pid: 0 }, options));
    const first = await svids.find(({ x509Svids }) => x509Svids.length === 2);
    expect(paths(first)).toEqual(['/other', '/twin']);
    const [one] = first.x509Svids;
    const [leaf] = parseCertificates(Buffer.concat(one?.x509Svid?.certChain ?? []));
    expect(leaf?.uriSans).toEqual([home.id('/other')]);
    expect(BigInt(leaf?.notAfter ?? 0)).toBe(one?.x509Svid?.expiresAt);
    expect(Buffer.from(spkiOf(privateKeyFromPkcs8(one?.x509SvidKey ?? new Uint8Array())))).toEqual(
      Buffer.from(leaf?.spki ?? ''),
    );
    expect(one?.x509Svid?.hint).toBe('h');
    expect(first.federatesWith).toEqual([]);

    using bundles = new Reader((options) => delegated.subscribeToX509Bundles({}, options));
    expect(Object.keys((await bundles.next()).caCertificates)).toEqual(['spiffe://home.test']);
    using keys = new Reader((options) => delegated.subscribeToJWTBundles({}, options));
    expect(JSON.parse(Buffer.from((await keys.next()).bundles['spiffe://home.test'] ?? '').toString())).toMatchObject({
      keys: [{ kty: 'EC' }],
    });

    const tokens = await delegated.fetchJWTSVIDs({ selectors: OTHER, audience: ['x'] });
    expect(tokens.svids.map(({ id, hint }) => [id?.path, hint])).toEqual([
      ['/other', 'h'],
      ['/twin', 'h'],
    ]);
    expect(tokens.svids[0]?.expiresAt).toBe((tokens.svids[0]?.issuedAt ?? 0n) + 300n);

    await home.addEntry({ path: '/third', id: 'c-third', selectors: OTHER });
    expect(paths(await svids.find(({ x509Svids }) => x509Svids.length === 3))).toEqual(['/other', '/twin', '/third']);
    // Selectors of nobody: an empty answer, as long as there is nobody.
    using nobody = new Reader((options) =>
      delegated.subscribeToX509SVIDs({ selectors: [{ type: 'x', value: 'y' }] }, options),
    );
    expect(paths(await nobody.next())).toEqual([]);

    await home.removeEntry(mine);
    for (const reader of [svids, bundles, keys, nobody]) {
      expect(await reader.end()).toMatchObject({ code: Code.PERMISSION_DENIED });
    }
    await expect(delegated.fetchJWTSVIDs({ selectors: OTHER, audience: ['x'] })).rejects.toMatchObject({
      code: Code.PERMISSION_DENIED,
      message: 'no identity issued',
    });
  });

  it('may name a process, and learns nothing more when that has ended', async () => {
    await using admin = await openHome();
    const { home, delegated } = admin;
    await home.addEntry({ path: '/delegate' });
    await home.ready();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      using svids = new Reader((options) => delegated.subscribeToX509SVIDs({ pid: child.pid ?? 0 }, options));
      expect(paths(await svids.find(({ x509Svids }) => x509Svids.length > 0))).toEqual(['/delegate']);
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await svids.end()).toMatchObject({ code: Code.PERMISSION_DENIED });
      await expect(delegated.fetchJWTSVIDs({ pid: child.pid ?? 0, audience: ['x'] })).rejects.toMatchObject({
        code: Code.UNAVAILABLE,
        message: 'workload attestation failed',
      });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is refused with the status that says why', async () => {
    await using admin = await openHome();
    const { home, delegated } = admin;
    await home.ready();
    const refused = (request: { selectors?: typeof OTHER; pid?: number; audience?: string[] }) =>
      delegated.fetchJWTSVIDs({ audience: ['x'], ...request }).then(
        () => undefined,
        ({ code, message }: { code: number; message: string }) => [code, message],
      );
    expect(await refused({ audience: [] })).toEqual([Code.INVALID_ARGUMENT, 'audience must be specified']);
    expect(await refused({ selectors: OTHER })).toEqual([Code.PERMISSION_DENIED, 'no identity issued']);
    await home.addEntry({ path: '/somebody' });
    await until(async () => (await refused({ selectors: OTHER }))?.[1] !== 'no identity issued');
    const stranger = [Code.PERMISSION_DENIED, 'caller not configured as an authorized delegate'];
    expect(await refused({ selectors: OTHER })).toEqual(stranger);
    await home.addEntry({ path: '/delegate' });
    await until(async () => (await refused({ selectors: OTHER }))?.[1] === 'no identity issued');
    const either = [Code.INVALID_ARGUMENT, 'must provide either selectors or non-zero PID, but not both'];
    for (const request of [{}, { selectors: OTHER, pid: 1 }, { pid: -1 }]) {
      expect(await refused(request)).toEqual(either);
    }
    for (const selector of [
      { type: '', value: 'x' },
      { type: 'x', value: '' },
      { type: 'a:b', value: 'c' },
    ]) {
      expect(await refused({ selectors: [selector] })).toEqual([
        Code.INVALID_ARGUMENT,
        'could not parse provided selectors',
      ]);
    }
  });
});

describe('the admin socket', () => {
  it('tells what the agent is and holds', async () => {
    await using admin = await openHome();
    const { home, debug, workload } = admin;
    await home.addEntry({ path: '/a' });
    await home.addEntry({ path: '/b', selectors: OTHER });
    await home.ready();
    await until(async () => (await debug.getInfo({})).svidsCount === 2);
    await home.workload.fetchJWTSVID({ audience: ['x'] }, { metadata: { 'workload.spiffe.io': 'true' } });
    const info = await debug.getInfo({});
    expect(info).toMatchObject({ cachedX509SvidsCount: 2, cachedJwtSvidsCount: 1, cachedSvidstoreX509SvidsCount: 0 });
    expect(info.svidChain).toMatchObject([
      { id: home.agentId, subject: 'O=SPIRE,C=US' },
      { id: { trustDomain: 'home.test', path: '' } },
    ]);
    expect(Number(info.lastSyncSuccess)).toBeGreaterThan(Date.now() / 1000 - 60);
    // Workloads are served elsewhere.
    await expect(workload.validateJWTSVID({ audience: 'a', svid: 'b' })).rejects.toMatchObject({
      code: Code.UNIMPLEMENTED,
    });
  });

  it('sets and resets the log level', async () => {
    await using admin = await openHome();
    const { home, logger } = admin;
    const { LogLevel } = types;
    const launched = LogLevel[home.log.level.toUpperCase() as keyof typeof LogLevel];
    expect(await logger.getLogger({})).toMatchObject({ currentLevel: launched, launchLevel: launched });
    for (const level of LOG_LEVELS) {
      const wire = LogLevel[level.toUpperCase() as keyof typeof LogLevel];
      expect(await logger.setLogLevel({ newLevel: wire })).toMatchObject({ currentLevel: wire, launchLevel: launched });
    }
    expect(await logger.resetLogLevel({})).toMatchObject({ currentLevel: launched, launchLevel: launched });
    await expect(logger.setLogLevel({ newLevel: LogLevel.UNSPECIFIED })).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: 'newLevel value cannot be LogLevel_UNSPECIFIED',
    });
    await expect(logger.setLogLevel({ newLevel: 99 as types.LogLevel })).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: 'unsupported log level',
    });
  });
});
