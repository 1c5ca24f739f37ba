import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentStopped } from '@steeple/agent';
import { parseCertificates } from '@steeple/client';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { describe, expect, it } from 'vitest';
import { HEADER, Home, Reader, until } from './home.ts';

const call = { metadata: HEADER, deadline: 20 };
const codeOf = (error: unknown) => (error instanceof GrpcError ? error.code : error);
const refusal = (promise: Promise<unknown>) => promise.then(() => 'OK', codeOf);
const first = async (home: Home) => {
  using stream = new Reader((options) => home.workload.fetchX509SVID({}, options));
  return await stream.next();
};
const served = (home: Home) => until(async () => (await refusal(first(home))) === 'OK');
const leafOf = (message: { svids: readonly { x509Svid: Uint8Array }[] }) =>
  parseCertificates(message.svids[0]?.x509Svid ?? new Uint8Array())[0];

describe('an agent whose server is away', () => {
  it('keeps serving open and new streams, and hears the news when the server is back', async () => {
    await using home = await Home.open();
    await home.addEntry({ path: '/web' });
    await served(home);
    using stream = new Reader((options) => home.workload.fetchX509SVID({}, options));
    await stream.next();
    const token = (await home.workload.fetchJWTSVID({ audience: ['a'] }, call)).svids[0]?.svid;
    await home.stopServer();

    expect((await first(home)).svids).toHaveLength(1);
    expect((await home.workload.fetchJWTSVID({ audience: ['a'] }, call)).svids[0]?.svid).toBe(token);
    expect(await refusal(home.workload.fetchJWTSVID({ audience: ['never asked'] }, call))).toBe(Code.UNAVAILABLE);

    await home.startServer();
    await home.addEntry({ path: '/later' });
    expect((await stream.find((message) => message.svids.length === 2)).svids).toHaveLength(2);
  });

  it('ends the stream with UNAVAILABLE when the last SVID has expired, and serves again later', async () => {
    await using home = await Home.open();
    await home.addEntry({ path: '/short', ttl: 3 });
    await served(home);
    using stream = new Reader((options) => home.workload.fetchX509SVID({}, options));
    const held = leafOf(await stream.next());
    await home.stopServer();
    expect(codeOf(await stream.end())).toBe(Code.UNAVAILABLE);
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(held?.notAfter ?? Number.POSITIVE_INFINITY);
    expect(await refusal(first(home))).toBe(Code.UNAVAILABLE);

    await home.startServer();
    await served(home);
  });

  it('starts again with its own SVID, and serves bundles and verifies tokens before the server is back', async () => {
    await using home = await Home.open();
    await home.addEntry({ path: '/web' });
    await served(home);
    const token = (await home.workload.fetchJWTSVID({ audience: ['a'] }, call)).svids[0]?.svid ?? '';
    await until(async () =>
      (await readFile(join(home.dir, 'agent', 'agent-cache.json'), 'utf8').catch(() => '')).includes('/web'),
    );
    await home.agent.stop();
    await home.stopServer();
    await home.startAgent();

    using bundles = new Reader((options) => home.workload.fetchJWTBundles({}, options));
    expect(Object.keys((await bundles.next()).bundles)).toEqual([home.trustDomain.id]);
    const judged = await home.workload.validateJWTSVID({ audience: 'a', svid: token }, call);
    expect(judged.spiffeId).toBe(home.id('/web'));
    expect(await refusal(first(home))).toBe(Code.UNAVAILABLE);
    expect(home.agent.health.ready).toBe(false);

    await home.startServer();
    await served(home);
    await home.ready();
  });
});

describe('an agent that the server wants no more', () => {
  it('stops when it is banned, and forgets its SVID', async () => {
    await using home = await Home.open();
    await home.addEntry({ path: '/web' });
    await served(home);
    using stream = new Reader((options) => home.workload.fetchX509SVID({}, options));
    await stream.next();
    const ended = home.agent.wait();
    await home.admin.agent.banAgent({ id: home.agentId });
    await expect(ended).rejects.toMatchObject({ name: 'AgentStopped', reason: 'banned' });
    expect(codeOf(await stream.end())).toBe(Code.UNAVAILABLE);
    expect(home.agent.health.live).toBe(false);
    expect(JSON.parse(await readFile(join(home.dir, 'agent', 'agent-data.json'), 'utf8'))).toMatchObject({ svid: [] });
  });

  it('stops when it was evicted, says what to do, and joins again with a new token', async () => {
    await using home = await Home.open({ agent: { experimental: { sync_interval: '200ms' } } });
    await home.ready();
    const ended = home.agent.wait();
    await home.admin.agent.deleteAgent({ id: home.agentId });
    const error = await ended.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(AgentStopped);
    expect((error as AgentStopped).reason).toBe('lost-identity');
    expect((error as AgentStopped).message).toContain('steeple token generate');

    await home.startAgent(await home.joinToken());
    await home.ready();
  });

  it('says that a join token was used already', async () => {
    await using home = await Home.open();
    await home.agent.stop();
    const token = home.agentId.path.split('/').at(-1);
    const again = home.startAgent(token);
    await again; // the SVID of the first run is good enough
    await home.agent.stop();
    const { createAgent } = await import('@steeple/agent');
    const config = home.agentConfig(token, { data_dir: join(home.dir, 'other') });
    const other = createAgent(config, { logger: home.log });
    await expect(other.start()).rejects.toMatchObject({ name: 'AgentStopped', reason: 'attestation-refused' });
    expect(home.log.messages('error').join()).not.toContain(token);
  });
});

describe('an agent with a short life', () => {
  it('renews its own SVID again and again and goes on working', async () => {
    await using home = await Home.open({ server: { agent_ttl: '3s' } });
    await home.addEntry({ path: '/web' });
    await served(home);
    const renewed = () => home.log.messages('debug').filter((m) => m === 'The SVID of this agent was renewed').length;
    await until(() => renewed() >= 3);
    await home.addEntry({ path: '/late' });
    await until(async () => (await first(home)).svids.length === 2);
    expect(home.agent.health.live).toBe(true);
  });
});
