import { Code } from '@steeple/proto/grpc';
import { bundleV1, localauthorityV1, svidV1 } from '@steeple/proto/server-api';
import { BundleSet, verifyX509Svid, type X509Svid } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { DiskCa } from './testing/disk-ca.ts';
import { newRequest, svidOf, TestServer } from './testing/test-server.ts';

const authority = (server: TestServer) => server.admin(localauthorityV1.LocalAuthority);

const mint = async (server: TestServer, path = '/w'): Promise<X509Svid> => {
  const { csr, key } = await newRequest(`spiffe://example.org${path}`);
  return svidOf((await server.admin(svidV1.SVID).mintX509SVID({ csr })).svid, key);
};
const verified = async (server: TestServer, svid: X509Svid) =>
  verifyX509Svid(svid.chain, BundleSet.of(await server.bundle()), { now: Date.now() / 1000 });
const rootIds = async (server: TestServer) =>
  (await server.bundle()).x509Authorities.map(({ certificate, tainted }) => [certificate.subjectKeyId, tainted]);
const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
};

describe('a server below a CA on disk', () => {
  it('signs under it, sends the intermediate and publishes the root only', async () => {
    await using ca = await DiskCa.make();
    await using server = await TestServer.start({}, ca.plugins);
    const svid = await mint(server);
    expect(svid.chain).toHaveLength(2);
    expect((await verified(server, svid)).chain.at(-1)?.equals(ca.root)).toBe(true);
    expect(await rootIds(server)).toEqual([[ca.rootId, false]]);
    const { active } = await authority(server).getX509AuthorityState({});
    expect(active?.upstreamAuthoritySubjectKeyId).toBe(ca.rootId);
    expect(active?.authorityId).toBe(svid.leaf.authorityKeyId);
  });

  it('goes on after a restart with the CA it had', async () => {
    await using ca = await DiskCa.make();
    await using server = await TestServer.start({}, ca.plugins);
    const before = await authority(server).getX509AuthorityState({});
    await server.stop();
    await server.startAgain();
    expect((await authority(server).getX509AuthorityState({})).active).toEqual(before.active);
    await verified(server, await mint(server));
  });

  it('warns when upstream gives it less life than ca_ttl, and signs nothing beyond', async () => {
    await using ca = await DiskCa.make(600);
    await using server = await TestServer.start({ ca_ttl: '24h' }, ca.plugins);
    expect(server.logger.messages('warn').join()).toContain('shorter life than ca_ttl');
    expect((await mint(server)).leaf.notAfter).toBeLessThanOrEqual(ca.root.notAfter);
  });

  it('refuses to taint its own CA, and a root above that signs now, with the words of SPIRE', async () => {
    await using ca = await DiskCa.make();
    await using server = await TestServer.start({}, ca.plugins);
    const admin = authority(server);
    const { active } = await admin.getX509AuthorityState({});
    await expect(admin.taintX509Authority({ authorityId: active?.authorityId ?? '' })).rejects.toMatchObject({
      code: Code.FAILED_PRECONDITION,
      message: "local authority can't be tainted if there is an upstream authority",
    });
    await expect(admin.taintX509UpstreamAuthority({ subjectKeyId: ca.rootId })).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: 'provided subject key id is not valid: unable to use upstream authority singing current authority',
    });
    await expect(admin.revokeX509UpstreamAuthority({ subjectKeyId: 'ff' })).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: "invalid subject key ID: upstream authority didn't sign the old local authority",
    });
  });

  it('walks away from a compromised root: prepare, activate, taint, revoke', async () => {
    await using ca = await DiskCa.make();
    await using server = await TestServer.start({}, ca.plugins);
    const admin = authority(server);
    const [oldRoot, oldId] = [ca.root, ca.rootId];
    const before = await mint(server);
    await ca.renew([oldRoot]);
    const { preparedAuthority } = await admin.prepareX509Authority({});
    expect(preparedAuthority?.upstreamAuthoritySubjectKeyId).toBe(ca.rootId);
    await admin.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? '' });
    await expect(admin.revokeX509UpstreamAuthority({ subjectKeyId: oldId })).rejects.toMatchObject({
      code: Code.INTERNAL,
      message: 'failed to revoke X.509 upstream authority: it is not possible to revoke an untainted root CA',
    });
    await admin.taintX509UpstreamAuthority({ subjectKeyId: oldId.toUpperCase() });
    expect(await rootIds(server)).toEqual([
      [oldId, true],
      [ca.rootId, false],
    ]);
    await expect(admin.taintX509UpstreamAuthority({ subjectKeyId: oldId })).rejects.toMatchObject({
      message: 'failed to taint upstream authority: root CA is already tainted',
    });
    await verified(server, await mint(server));
    await verified(server, before);
    await admin.revokeX509UpstreamAuthority({ subjectKeyId: oldId });
    expect(await rootIds(server)).toEqual([[ca.rootId, false]]);
    await expect(verified(server, before)).rejects.toThrow();
    await verified(server, await mint(server));
  });

  it('takes a new CA by itself when its root is dropped from the files, and trusts the old one as long as it lives', async () => {
    await using ca = await DiskCa.make();
    await using server = await TestServer.start({}, ca.plugins);
    const before = await mint(server);
    const oldId = ca.rootId;
    await ca.renew();
    await until(async () => (await authority(server).getX509AuthorityState({})).old !== undefined);
    expect(await rootIds(server)).toEqual([
      [oldId, false],
      [ca.rootId, false],
    ]);
    await verified(server, before);
    const after = await mint(server);
    expect((await verified(server, after)).chain.at(-1)?.equals(ca.root)).toBe(true);
  });

  it('moves below an upstream, and out again, without a break', async () => {
    await using ca = await DiskCa.make();
    await using plain = await TestServer.start();
    const own = await mint(plain);
    await plain.stop();
    plain.reconfigure(ca.plugins);
    await plain.startAgain();
    await until(
      async () => (await authority(plain).getX509AuthorityState({})).active?.upstreamAuthoritySubjectKeyId !== '',
    );
    const below = await mint(plain);
    expect((await verified(plain, below)).chain.at(-1)?.equals(ca.root)).toBe(true);
    await verified(plain, own);
    await plain.stop();
    plain.reconfigure({});
    await plain.startAgain();
    await until(
      async () => (await authority(plain).getX509AuthorityState({})).active?.upstreamAuthoritySubjectKeyId === '',
    );
    const again = await mint(plain);
    expect(again.chain).toHaveLength(1);
    for (const svid of [own, below, again]) await verified(plain, svid);
    expect((await plain.admin(bundleV1.Bundle).getBundle({})).x509Authorities).toHaveLength(3);
  });

  it('does not start below a CA that is of no use, and names the setting', async () => {
    await using ca = await DiskCa.make(-5);
    await expect(TestServer.start({}, ca.plugins)).rejects.toThrow(
      /plugins\.UpstreamAuthority\.disk\.plugin_data\.cert_file_path: unable to load upstream CA/,
    );
  });
});
