import { Code, findDetail, GrpcError } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, svidV1, types } from '@steeple/proto/server-api';
import { BundleSet, verifyX509Svid } from '@steeple/spiffe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attestMessages, idOf, newRequest, svidOf, TestServer } from './testing/test-server.ts';

const drained = async (stream: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of stream);
};

const reasonOf = (error: GrpcError): number | undefined =>
  findDetail(error, types.PermissionDeniedDetailsSchema)?.reason;

const { PermissionDeniedDetails_Reason: Reason } = types;

import { failure } from './testing/failure.ts';

describe('a server on real sockets', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  it('attests by join token, gives the agent its entries, and signs for them', async () => {
    const agent = await server.attest();
    expect(agent.id.path).toMatch(/^\/spire\/agent\/join_token\/[0-9a-f-]{36}$/);
    const id = await server.createEntry(agent, '/web', { dnsNames: ['b.test', 'a.test'], x509SvidTtl: 120 });

    const entries = await server.remote(entryV1.Entry, agent);
    const authorized = await entries.getAuthorizedEntries({});
    expect(authorized.entries.map((entry) => entry.id)).toEqual([id]);

    const { csr, key } = await newRequest('spiffe://example.org/other');
    const svids = await server.remote(svidV1.SVID, agent);
    const { results } = await svids.batchNewX509SVID({ params: [{ entryId: id, csr }] });
    expect(results[0]?.status).toMatchObject({ code: 0, message: 'OK' });
    const svid = svidOf(results[0]?.svid, key);
    expect(svid.id.toString()).toBe('spiffe://example.org/web');
    expect(svid.leaf.dnsSans).toEqual(['b.test', 'a.test']);
    expect(svid.leaf.commonName).toBe('b.test');
    expect(svid.leaf.notAfter - svid.leaf.notBefore).toBe(130);
    verifyX509Svid(svid.chain, BundleSet.of(await server.bundle()), { now: Date.now() / 1000 });

    const { svid: jwt } = await svids.newJWTSVID({ entryId: id, audience: ['db'] });
    expect(jwt?.token.split('.')).toHaveLength(3);
    expect(Number(jwt?.expiresAt) - Number(jwt?.issuedAt)).toBe(300);
  });

  it('lets a token be used once, and says what SPIRE says', async () => {
    const { value } = await server.admin(agentV1.Agent).createJoinToken({ ttl: 60 });
    await server.attest(value);
    const used = await failure(server.attest(value));
    expect(used).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: 'failed to attest: join token does not exist or has already been used',
    });
    expect(await failure(server.attest('no-such-token'))).toMatchObject({ code: Code.INVALID_ARGUMENT });
  });

  it('gives one token to exactly one of many that come at once', async () => {
    const { value } = await server.admin(agentV1.Agent).createJoinToken({ ttl: 60 });
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => server.attest(value)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('does not burn a token for a malformed or unsigned CSR', async () => {
    const { value } = await server.admin(agentV1.Agent).createJoinToken({ ttl: 60 });
    const { csr } = await newRequest();
    const forged = csr.map((byte, index) => (index === csr.length - 1 ? byte ^ 1 : byte));
    for (const bad of [forged, csr.slice(0, 40), Uint8Array.of(0x30, 0)]) {
      const agents = await server.remote(agentV1.Agent);
      const error = await failure(drained(agents.attestAgent(attestMessages(value, bad))));
      expect(error.code).toBe(Code.INVALID_ARGUMENT);
      expect(error.message).toMatch(/^failed to parse CSR/);
    }
    await server.attest(value);
  });

  it('renews; the old SVID works until the new one is used, and not after', async () => {
    const old = await server.attest();
    const before = await server.remote(agentV1.Agent, old);
    const { csr, key } = await newRequest();
    const next = svidOf((await before.renewAgent({ params: { csr } })).svid, key);
    await before.postStatus({ agentVersion: '1' });

    const after = await server.remote(agentV1.Agent, next);
    await after.postStatus({ agentVersion: '2' });
    const refused = await failure(before.postStatus({ agentVersion: '3' }));
    expect(refused.message).toBe('authorization denied for method /spire.api.server.agent.v1.Agent/PostStatus');
    expect(reasonOf(refused)).toBe(Reason.AGENT_NOT_ACTIVE);
    const { agentVersion } = await server.admin(agentV1.Agent).getAgent({ id: idOf(old.id.path) });
    expect(agentVersion).toBe('2');
  });

  it('refuses a banned agent on its open connection, and tells an evicted one to attest again', async () => {
    const [bad, gone] = [await server.attest(), await server.attest()];
    const [banned, evicted] = [await server.remote(entryV1.Entry, bad), await server.remote(entryV1.Entry, gone)];
    await banned.getAuthorizedEntries({});
    await evicted.getAuthorizedEntries({});
    await server.admin(agentV1.Agent).banAgent({ id: idOf(bad.id.path) });
    await server.admin(agentV1.Agent).deleteAgent({ id: idOf(gone.id.path) });

    expect(reasonOf(await failure(banned.getAuthorizedEntries({})))).toBe(Reason.AGENT_BANNED);
    expect(reasonOf(await failure(evicted.getAuthorizedEntries({})))).toBe(Reason.AGENT_NOT_ATTESTED);
    const missing = await failure(server.admin(agentV1.Agent).banAgent({ id: idOf(gone.id.path) }));
    expect(missing).toMatchObject({ code: Code.NOT_FOUND, message: 'agent not found' });
  });

  it('refuses an agent whose SVID has expired on a connection that is still open', async () => {
    const agents = await server.remote(agentV1.Agent, await server.attest());
    await agents.postStatus({ agentVersion: '1' });
    server.aheadBy = 3601;
    const late = await failure(agents.postStatus({ agentVersion: '2' }));
    server.aheadBy = 0;
    expect(reasonOf(late)).toBe(Reason.AGENT_EXPIRED);
  });

  it('lets an expired token attest nobody', async () => {
    const { value } = await server.admin(agentV1.Agent).createJoinToken({ ttl: 5 });
    server.aheadBy = 6;
    const late = await failure(server.attest(value));
    server.aheadBy = 0;
    expect(late).toMatchObject({ code: Code.INVALID_ARGUMENT, message: 'join token expired' });
  });

  it('lets strangers see the bundle and nothing else', async () => {
    const stranger = await server.remote(entryV1.Entry);
    for (const call of [stranger.getAuthorizedEntries({}), stranger.listEntries({}), stranger.batchCreateEntry({})]) {
      const error = await failure(call);
      expect(error.code).toBe(Code.PERMISSION_DENIED);
      expect(reasonOf(error)).toBeUndefined();
    }
    const bundle = await (await server.remote(bundleV1.Bundle)).getBundle({});
    expect(bundle.x509Authorities).toHaveLength(1);
  });

  it('does not let a workload act as an agent', async () => {
    const agent = await server.attest();
    const entryId = await server.createEntry(agent, '/not-an-agent');
    const { csr, key } = await newRequest();
    const { results } = await (await server.remote(svidV1.SVID, agent)).batchNewX509SVID({
      params: [{ entryId, csr }],
    });
    const workload = await server.remote(entryV1.Entry, svidOf(results[0]?.svid, key));
    expect((await failure(workload.getAuthorizedEntries({}))).code).toBe(Code.PERMISSION_DENIED);
    expect((await failure(workload.listEntries({}))).code).toBe(Code.PERMISSION_DENIED);
  });
});
