import { createPublicKey } from 'node:crypto';
import { Code } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, svidV1 } from '@steeple/proto/server-api';
import { SpiffeId, spkiOf } from '@steeple/spiffe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failure } from './testing/failure.ts';
import { idOf, newRequest, svidOf, TestServer, TRUST_DOMAIN } from './testing/test-server.ts';

describe('entries and identities over real sockets', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  it('takes an entry with admin for an administrator', async () => {
    const agent = await server.attest();
    const entryId = await server.createEntry(agent, '/boss', { admin: true });
    const { csr, key } = await newRequest();
    const { results } = await (await server.remote(svidV1.SVID, agent)).batchNewX509SVID({
      params: [{ entryId, csr }],
    });
    const admin = await server.remote(entryV1.Entry, svidOf(results[0]?.svid, key));
    expect((await admin.countEntries({})).count).toBeGreaterThan(0);
  });

  it('answers each entry of a batch for itself', async () => {
    const agent = await server.attest();
    const entries = server.admin(entryV1.Entry);
    const good = { parentId: idOf(agent.id.path), spiffeId: idOf('/batch'), selectors: [{ type: 'a', value: 'b' }] };
    const { results } = await entries.batchCreateEntry({
      entries: [
        good,
        good,
        { ...good, spiffeId: idOf('/x', 'other.test') },
        { ...good, selectors: [] },
        { ...good, spiffeId: idOf('/spire/agent/x') },
        { ...good, spiffeId: idOf('/fed'), federatesWith: ['nowhere.test'] },
      ],
    });
    const statuses = results.map(({ status }) => [status?.code, status?.message]);
    expect(statuses[0]).toEqual([0, 'OK']);
    expect(statuses[1]).toEqual([Code.ALREADY_EXISTS, 'similar entry already exists']);
    expect(results[1]?.entry?.id).toBe(results[0]?.entry?.id);
    expect(statuses[2]?.[0]).toBe(Code.INVALID_ARGUMENT);
    expect(statuses[2]?.[1]).toMatch(/^failed to convert entry: invalid spiffe ID: .*not a member of trust domain/);
    expect(statuses[3]).toEqual([Code.INVALID_ARGUMENT, 'failed to convert entry: selector list is empty']);
    expect(statuses[4]?.[0]).toBe(Code.INVALID_ARGUMENT);
    expect(statuses[5]?.[0]).toBe(Code.INTERNAL);
    expect(statuses[5]?.[1]).toBe('failed to create entry: unable to find federated bundle "spiffe://nowhere.test"');
    expect(results.slice(2).every(({ entry }) => entry === undefined)).toBe(true);
  });

  it('updates what the mask names, counts the revision, and deletes', async () => {
    const agent = await server.attest();
    const id = await server.createEntry(agent, '/update', { hint: 'one', x509SvidTtl: 60 });
    const entries = server.admin(entryV1.Entry);
    const update = await entries.batchUpdateEntry({ entries: [{ id, hint: 'two' }], inputMask: { hint: true } });
    expect(update.results[0]?.entry).toMatchObject({ hint: 'two', x509SvidTtl: 60, revisionNumber: 1n });
    const missing = await entries.batchUpdateEntry({
      entries: [{ id: 'nope', hint: 'two' }],
      inputMask: { hint: true },
    });
    const unknown = { code: Code.NOT_FOUND, message: 'failed to update entry' };
    expect(missing.results[0]?.status).toMatchObject(unknown);
    const unnamed = await entries.batchUpdateEntry({ entries: [{ hint: 'two' }], inputMask: { hint: true } });
    expect(unnamed.results[0]?.status).toMatchObject(unknown);
    const broken = await entries.batchUpdateEntry({ entries: [{ id, selectors: [] }], inputMask: { selectors: true } });
    expect(broken.results[0]?.status).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: 'failed to convert entry: selector list is empty',
    });
    const deleted = await entries.batchDeleteEntry({ ids: [id, id, ''] });
    expect(deleted.results.map(({ status }) => status?.code)).toEqual([0, Code.NOT_FOUND, Code.INVALID_ARGUMENT]);
    expect(await failure(entries.getEntry({ id }))).toMatchObject({ code: Code.NOT_FOUND, message: 'entry not found' });
  });

  it("signs nothing for an entry that is not the agent's", async () => {
    const [mine, other] = [await server.attest(), await server.attest()];
    const entryId = await server.createEntry(other, '/theirs');
    const { csr } = await newRequest();
    const svids = await server.remote(svidV1.SVID, mine);
    const { results } = await svids.batchNewX509SVID({
      params: [
        { entryId, csr },
        { entryId: '', csr },
        { entryId, csr: csr.slice(1) },
      ],
    });
    expect(results.map(({ status, svid }) => [status?.code, svid])).toEqual([
      [Code.NOT_FOUND, undefined],
      [Code.INVALID_ARGUMENT, undefined],
      [Code.INVALID_ARGUMENT, undefined],
    ]);
    expect(await failure(svids.newJWTSVID({ entryId, audience: ['a'] }))).toMatchObject({
      code: Code.NOT_FOUND,
      message: 'entry not found or not authorized',
    });
  });

  it('mints for administrators, and only for workloads of its trust domain', async () => {
    const svids = server.admin(svidV1.SVID);
    const { csr, key } = await newRequest('spiffe://example.org/minted');
    const svid = svidOf((await svids.mintX509SVID({ csr, ttl: 90 })).svid, key);
    expect(svid.id.equals(SpiffeId.parse('spiffe://example.org/minted'))).toBe(true);
    for (const [uri, text] of [
      [undefined, 'CSR URI SAN is required'],
      ['spiffe://other.test/x', /^CSR URI SAN is invalid/],
      ['spiffe://example.org/spire/server', /^CSR URI SAN is invalid/],
    ] as const) {
      const error = await failure(svids.mintX509SVID({ csr: (await newRequest(uri)).csr }));
      expect(error.code).toBe(Code.INVALID_ARGUMENT);
      expect(error.message).toMatch(text);
    }
    const empty = await failure(svids.mintJWTSVID({ id: idOf('/x'), audience: [] }));
    expect(empty).toMatchObject({ code: Code.INVALID_ARGUMENT, message: 'at least one audience is required' });
    const wit = await failure(svids.mintWITSVID({ id: idOf('/x') }));
    expect(wit).toMatchObject({ code: Code.UNIMPLEMENTED, message: 'WIT functionality is disabled' });
  });

  it('issues WIT-SVIDs where they are switched on, and publishes their keys', async () => {
    await using wit = await TestServer.start({ experimental: { feature_flags: ['wit-svid'] } });
    const agent = await wit.attest();
    const entryId = await wit.createEntry(agent, '/wit');
    const publicKey = Uint8Array.from(spkiOf(createPublicKey((await newRequest()).key)));
    const svids = await wit.remote(svidV1.SVID, agent);
    const { results } = await svids.batchNewWITSVID({
      params: [
        { entryId, publicKey },
        { entryId, publicKey: publicKey.slice(1) },
      ],
    });
    const [issued, broken] = results;
    expect(issued?.status).toBeUndefined();
    const [header = '', claims = ''] = issued?.svid?.token.split('.') ?? [];
    const decoded = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    const { witAuthorities } = await wit.admin(bundleV1.Bundle).getBundle({});
    expect(decoded(header)).toEqual({ alg: 'ES256', kid: witAuthorities[0]?.keyId, typ: 'wit+jwt' });
    expect(decoded(claims)).toMatchObject({
      sub: 'spiffe://example.org/wit',
      cnf: { jwk: { kty: 'EC', alg: 'ES256' } },
    });
    expect(broken?.status?.code).toBe(Code.INVALID_ARGUMENT);
  });

  it('writes no secret into its log', async () => {
    const { value } = await server.admin(agentV1.Agent).createJoinToken({ ttl: 60, token: 'the-secret-token' });
    await failure(server.attest(`${value}-wrong`));
    expect(server.logger.text).not.toContain('the-secret-token');
  });

  it('belongs to its trust domain', async () => {
    expect((await server.bundle()).trustDomain.equals(TRUST_DOMAIN)).toBe(true);
  });
});
