import { parseCertificates } from '@steeple/client';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { describe, expect, it } from 'vitest';
import { HEADER, Home, Reader, until } from './home.ts';

const call = { metadata: HEADER, deadline: 20 };
const codeOf = (error: unknown) => (error instanceof GrpcError ? error.code : error);
const refusal = (promise: Promise<unknown>) => promise.then(() => 'OK', codeOf);
const ids = (message: { svids: readonly { spiffeId: string }[] }) => message.svids.map(({ spiffeId }) => spiffeId);

describe('the life of an agent', () => {
  it('attests, and hands out an identity as soon as its entry is created', async () => {
    await using home = await Home.open();
    await home.ready();
    expect(await refusal(home.workload.fetchJWTSVID({ audience: ['a'] }, call))).toBe(Code.PERMISSION_DENIED);
    using stranger = new Reader((options) => home.workload.fetchX509SVID({}, options));
    expect(codeOf(await stranger.end())).toBe(Code.PERMISSION_DENIED);

    const id = await home.addEntry({ path: '/web' });
    await until(async () => (await refusal(home.workload.fetchJWTSVID({ audience: ['a'] }, call))) === 'OK');
    using stream = new Reader((options) => home.workload.fetchX509SVID({}, options));
    expect(ids(await stream.next())).toEqual([home.id('/web')]);

    await home.addEntry({ path: '/second' });
    expect(ids(await stream.find((message) => message.svids.length === 2)).sort()).toEqual([
      home.id('/second'),
      home.id('/web'),
    ]);
    await home.removeEntry(id);
    expect(ids(await stream.find((message) => message.svids.length === 1))).toEqual([home.id('/second')]);
  });

  it('rotates while a stream is open, and no message holds an expired SVID', async () => {
    await using home = await Home.open();
    await home.addEntry({ path: '/short', ttl: 4 });
    await until(async () => (await refusal(home.workload.fetchJWTSVID({ audience: ['a'] }, call))) === 'OK');
    using stream = new Reader((options) => home.workload.fetchX509SVID({}, options));
    const serials = new Set<string>();
    for (let count = 0; count < 3; count++) {
      const [leaf] = parseCertificates((await stream.next()).svids[0]?.x509Svid ?? new Uint8Array());
      expect(leaf?.notAfter).toBeGreaterThan(Date.now() / 1000);
      serials.add(leaf?.serialHex ?? '');
    }
    expect(serials.size).toBe(3);
  });
});
