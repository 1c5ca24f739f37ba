import { Code } from '@steeple/proto/grpc';
import { healthV1 } from '@steeple/proto/infra';
import { agentV1, bundleV1, entryV1, loggerV1, svidV1 } from '@steeple/proto/server-api';
import { type TrustBundle, X509Svid } from '@steeple/spiffe';
import { TestTrustDomain } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { newRequest, svidOf, TestServer } from '../testing/test-server.ts';

const wireBundle = (bundle: TrustBundle) => ({
  trustDomain: bundle.trustDomain.name,
  x509Authorities: bundle.x509Authorities.map(({ certificate }) => ({ asn1: Uint8Array.from(certificate.raw) })),
});

describe('who may call', () => {
  it('takes an administrator of another trust domain by its own bundle only', async () => {
    const [friend, impostor] = [
      await TestTrustDomain.create('friend.test'),
      await TestTrustDomain.create('friend.test'),
    ];
    await using server = await TestServer.start({ admin_ids: ['spiffe://friend.test/boss'] });
    const admin = await friend.x509Svid('/boss');
    await expect((await server.remote(entryV1.Entry, admin)).countEntries({})).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
    });
    await server.admin(bundleV1.Bundle).batchSetFederatedBundle({ bundle: [wireBundle(friend.bundle)] });

    expect((await (await server.remote(entryV1.Entry, admin)).countEntries({})).count).toBe(0);
    const forged = await server.remote(entryV1.Entry, await impostor.x509Svid('/boss'));
    await expect(forged.countEntries({})).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    const clerk = await server.remote(entryV1.Entry, await friend.x509Svid('/clerk'));
    // Refused at the handshake already: the bundle is there for the administrators only.
    await expect(clerk.countEntries({})).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  it('refuses members of trust domains that have no administrator here, even with a bundle', async () => {
    const other = await TestTrustDomain.create('other.test');
    await using server = await TestServer.start();
    await server.admin(bundleV1.Bundle).batchSetFederatedBundle({ bundle: [wireBundle(other.bundle)] });
    const caller = await server.remote(bundleV1.Bundle, await other.x509Svid('/x'));
    await expect(caller.getBundle({})).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  it('keeps services of the admin socket off the network', async () => {
    await using server = await TestServer.start();
    expect((await server.admin(healthV1.Health).check({})).status).toBe(
      healthV1.HealthCheckResponse_ServingStatus.SERVING,
    );
    const remote = await server.remote(loggerV1.Logger, await server.attest());
    await expect(remote.getLogger({})).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
  });

  it("refuses an agent's methods on the admin socket", async () => {
    await using server = await TestServer.start();
    await expect(server.admin(entryV1.Entry).getAuthorizedEntries({})).rejects.toMatchObject({
      code: Code.PERMISSION_DENIED,
      message: 'authorization denied for method /spire.api.server.entry.v1.Entry/GetAuthorizedEntries',
    });
  });

  it('refuses an agent that presents a certificate never issued to it', async () => {
    await using server = await TestServer.start();
    const agent = await server.attest();
    const { csr, key } = await newRequest(`spiffe://example.org/w`);
    const minted = svidOf((await server.admin(svidV1.SVID).mintX509SVID({ csr })).svid, key);
    const caller = await server.remote(agentV1.Agent, minted);
    await expect(caller.postStatus({ agentVersion: '1' })).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
    expect(agent).toBeInstanceOf(X509Svid);
  });
});

describe('limits and traces of calls', () => {
  it('refuses a batch that no waiting could let through', async () => {
    await using server = await TestServer.start({ ratelimit: { signing: true, attestation: false } });
    const params = Array.from({ length: 501 }, () => ({ entryId: 'x' }));
    const svids = await server.remote(svidV1.SVID, await server.attest());
    await expect(svids.batchNewX509SVID({ params })).rejects.toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  });

  it('writes an audit line per item, with who and what and no secret', async () => {
    await using server = await TestServer.start({ audit_log_enabled: true });
    const agent = await server.attest();
    await server.createEntry(agent, '/audited');
    await expect(server.createEntry(agent, '/spire/no')).rejects.toThrow();
    const lines = server.logger.records.filter(({ message }) => message === 'API accessed').map(({ fields }) => fields);
    const created = lines.filter(({ method }) => method === 'BatchCreateEntry');
    expect(created).toMatchObject([
      {
        status: 'success',
        authorized_as: 'local',
        caller_uid: process.getuid?.(),
        spiffe_id: 'spiffe://example.org/audited',
      },
      { status: 'error', status_code: 'InvalidArgument', spiffe_id: 'spiffe://example.org/spire/no' },
    ]);
    const attested = lines.find(({ method }) => method === 'AttestAgent');
    expect(attested).toMatchObject({ status: 'success', caller_addr: '127.0.0.1', agent_id: agent.id.toString() });
    const made = lines.find(({ method }) => method === 'CreateJoinToken');
    expect(JSON.stringify(made)).not.toContain(agent.id.path.split('/').at(-1));
  });
});
