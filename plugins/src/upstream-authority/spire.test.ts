import { systemClock } from '@steeple/daemon';
import { checkValue } from '@steeple/daemon/config';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { generateKey, localSigner, makeCsr, tokenAuthority } from '@steeple/spiffe';
import { MemoryLogger } from '@steeple/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { spireUpstream } from './spire.ts';
import { FakeUpstream } from './testing/fake-upstream.ts';
import { upstreamAuthorityContract } from './upstream-authority.contract.ts';

let above: FakeUpstream;
/** The machine's clock with short naps. */
const clock = { ...systemClock, sleep: (s: number, signal?: AbortSignal) => systemClock.sleep(s / 100, signal) };
let logger: MemoryLogger;
beforeEach(async () => {
  above = await FakeUpstream.start();
  logger = new MemoryLogger();
});
afterEach(() => above[Symbol.asyncDispose]());

const open = () =>
  spireUpstream.create(
    checkValue(spireUpstream.schema, {
      server_address: '127.0.0.1',
      server_port: String(above.port),
      workload_api_socket: above.workloadApiSocket,
    }),
    { clock, logger, trustDomain: above.domain.trustDomain },
  );
const never = new AbortController().signal;
const request = () => makeCsr(localSigner(generateKey('ec-p256')), { uri: 'spiffe://example.org' });
const newKey = (kid: string) => tokenAuthority(kid, localSigner(generateKey('ec-p256')).publicKey);

describe('spire', () => {
  upstreamAuthorityContract(async () => ({
    upstream: await open(),
    trustDomain: above.domain.trustDomain,
    now: Date.now() / 1000,
    publishes: true,
  }));

  it('asks for the life that it is told, and takes roots with their marks from the bundle', async () => {
    const root = above.domain.issuer.certificate.subjectKeyId ?? '';
    above.tainted.add(root);
    const upstream = await open();
    const { roots } = await upstream.mintX509Ca(await request(), 1234.5, never);
    expect(above.preferredTtls).toEqual([1234]);
    expect(roots.map(({ certificate, tainted }) => [certificate.subjectKeyId, tainted])).toEqual([[root, true]]);
    await upstream.close();
  });

  it.each([
    [Code.PERMISSION_DENIED, 'permission-denied'],
    [Code.UNAVAILABLE, 'unavailable'],
    [Code.INTERNAL, 'internal'],
  ] as const)('tells status %s as %s, with what could not be done', async (code, ours) => {
    above.failure = GrpcError.of(code, 'because');
    const upstream = await open();
    await expect(upstream.mintX509Ca(await request(), 60, never)).rejects.toMatchObject({
      code: ours,
      message: 'unable to request a new Downstream X509CA: because',
    });
    await expect(upstream.publishKey('jwt', newKey('k'), never)).rejects.toMatchObject({
      code: ours,
      message: 'failed to push JWT authority: because',
    });
    await upstream.close();
  });

  it('finds out which of several identities is that of a server below', async () => {
    await above.admit('/first', '/second', '/downstream', '/last');
    const upstream = await open();
    await upstream.mintX509Ca(await request(), 60, never);
    await upstream.mintX509Ca(await request(), 60, never);
    // The news takes its way, so ask until it has come.
    const outcome = async () => {
      const minted = upstream.mintX509Ca(await request(), 60, never);
      return minted.then(
        () => 'signed',
        ({ code }: { code: string }) => code,
      );
    };
    await above.admit('/first', '/second');
    while ((await outcome()) !== 'permission-denied') await systemClock.sleep(0.01);
    await above.admit('/second', '/downstream');
    while ((await outcome()) !== 'signed') await systemClock.sleep(0.01);
    await upstream.close();
  });

  it('goes on with another agent on the same socket', async () => {
    const upstream = await open();
    await upstream.mintX509Ca(await request(), 60, never);
    await above.agent.crash();
    await above.agent.listen();
    await above.admit();
    await upstream.mintX509Ca(await request(), 60, never);
    await upstream.close();
  });

  it('says that a server without WIT has no place for such keys', async () => {
    above.hasWit = false;
    const upstream = await open();
    await expect(upstream.publishKey('wit', newKey('k'), never)).rejects.toMatchObject({ code: 'unimplemented' });
    await upstream.close();
  });

  it('believes no server of another name or under another root', async () => {
    const stranger = await FakeUpstream.start();
    const upstream = await spireUpstream.create(
      { server_address: '127.0.0.1', server_port: stranger.port, workload_api_socket: above.workloadApiSocket },
      { clock, logger, trustDomain: above.domain.trustDomain },
    );
    await expect(upstream.mintX509Ca(await request(), 60, never)).rejects.toMatchObject({ code: 'unavailable' });
    expect(stranger.preferredTtls).toEqual([]);
    await upstream.close();
    await stranger[Symbol.asyncDispose]();
  });

  it('watches through failures, tells each change once, and goes on with a rotated identity', async () => {
    const upstream = await open();
    const abort = new AbortController();
    const seen: number[] = [];
    const watching = (async () => {
      for await (const { jwt, x509 } of upstream.watch(abort.signal)) seen.push((jwt?.length ?? 0) * 10 + x509.length);
    })();
    const wait = async (count: number) => {
      while (seen.length < count) await systemClock.sleep(0.01);
    };
    await wait(1);
    above.failure = GrpcError.of(Code.UNAVAILABLE, 'away');
    while (!logger.text.includes('could not be fetched')) await systemClock.sleep(0.01);
    above.failure = undefined;
    above.published.jwt.push(newKey('j'));
    await wait(2);
    await above.domain.rotate();
    await above.admit();
    await wait(3);
    abort.abort();
    await watching;
    expect(seen).toEqual([1, 11, 12]);
    await upstream.close();
  });

  it('does not hang on an agent that has no identity for it: closing and aborting end the wait', async () => {
    above.agent.withdraw();
    const upstream = await open();
    const abort = new AbortController();
    const watching = (async () => {
      for await (const trust of upstream.watch(abort.signal)) throw new Error(`told ${trust.x509.length} roots`);
    })();
    abort.abort();
    await watching;
    await upstream.close();
  });

  it('names settings that are missing or not supported', () => {
    const good = { server_address: 'a', server_port: '8081', workload_api_socket: '/s' };
    expect(checkValue(spireUpstream.schema, good)).toMatchObject({ server_port: 8081 });
    for (const key of Object.keys(good)) {
      expect(() => checkValue(spireUpstream.schema, { ...good, [key]: undefined })).toThrow(key);
    }
    expect(() => checkValue(spireUpstream.schema, { ...good, server_port: 'http' })).toThrow('server_port');
    expect(() => checkValue(spireUpstream.schema, { ...good, experimental: { require_pq_kem: true } })).toThrow(
      'require_pq_kem',
    );
  });
});
