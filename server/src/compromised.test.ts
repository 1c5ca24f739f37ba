import { Code } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, localauthorityV1 } from '@steeple/proto/server-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ experimental: { feature_flags: ['wit-svid'] } });
});
afterAll(() => server[Symbol.asyncDispose]());

const authority = () => server.admin(localauthorityV1.LocalAuthority);
const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
};

describe('a compromised authority', () => {
  it('is left by the server itself before anyone can ask, so that agents still believe it after the revocation', async () => {
    const agent = await server.attest();
    const { active } = await authority().getX509AuthorityState({});
    const old = active?.authorityId ?? '';
    const { preparedAuthority } = await authority().prepareX509Authority({});
    await (await server.remote(bundleV1.Bundle, agent)).getBundle({});
    await authority().activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? '' });
    await authority().taintX509Authority({ authorityId: old });
    await until(async () => server.logger.messages('info').filter((text) => text === 'Server SVID rotated').length > 1);
    await authority().revokeX509Authority({ authorityId: old });
    // The client trusts what is in the bundle now, and that is the new root only.
    await (await server.remote(entryV1.Entry)).countEntries({}).catch((error: unknown) => {
      expect(error).toMatchObject({ code: Code.PERMISSION_DENIED });
    });
    const renewed = await server.attest();
    await (await server.remote(agentV1.Agent, renewed)).postStatus({ agentVersion: '1', currentBundleSerial: 3n });
  });

  it.each(['WIT', 'JWT'] as const)('of %s-SVIDs goes through the same steps', async (kind) => {
    // Another server: agents that were locked out above would be waited for.
    await using tokens = await TestServer.start({ experimental: { feature_flags: ['wit-svid'] } });
    const admin = tokens.admin(localauthorityV1.LocalAuthority);
    const [state, prepare, activate, taint, revoke] = [
      `get${kind}AuthorityState`,
      `prepare${kind}Authority`,
      `activate${kind}Authority`,
      `taint${kind}Authority`,
      `revoke${kind}Authority`,
    ] as const;
    const old = (await admin[state as 'getJWTAuthorityState']({})).active?.authorityId ?? '';
    const { preparedAuthority } = await admin[prepare as 'prepareJWTAuthority']({});
    expect((await admin[state as 'getJWTAuthorityState']({})).prepared).toEqual(preparedAuthority);
    await admin[activate as 'activateJWTAuthority']({ authorityId: preparedAuthority?.authorityId ?? '' });
    expect((await admin[state as 'getJWTAuthorityState']({})).old?.authorityId).toBe(old);
    expect(await admin[taint as 'taintJWTAuthority']({ authorityId: old })).toMatchObject({
      taintedAuthority: { authorityId: old, expiresAt: 0n },
    });
    const keys = async () => {
      const bundle = await tokens.admin(bundleV1.Bundle).getBundle({});
      const list = kind === 'WIT' ? bundle.witAuthorities : bundle.jwtAuthorities;
      return list.filter(({ keyId }) => keyId === old).map(({ tainted }) => tainted);
    };
    expect(await keys()).toEqual([true]);
    // A further authority is no reason to forget the mark: it is the operator who revokes.
    await admin[prepare as 'prepareJWTAuthority']({});
    expect(await keys()).toEqual([true]);
    expect(await admin[revoke as 'revokeJWTAuthority']({ authorityId: old })).toMatchObject({
      revokedAuthority: { authorityId: old },
    });
    expect(await keys()).toEqual([]);
  });

  it('cannot be of a kind that is switched off', async () => {
    await using plain = await TestServer.start({ disable_jwt_svids: true });
    const admin = plain.admin(localauthorityV1.LocalAuthority);
    await expect(admin.getJWTAuthorityState({})).rejects.toMatchObject({
      code: Code.UNIMPLEMENTED,
      message: 'JWT functionality is disabled',
    });
    await expect(admin.taintWITAuthority({ authorityId: 'x' })).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
  });

  it('of an upstream is nothing a server with roots of its own can name', async () => {
    for (const call of ['taintX509UpstreamAuthority', 'revokeX509UpstreamAuthority'] as const) {
      await expect(authority()[call]({ subjectKeyId: 'ff' })).rejects.toMatchObject({
        code: Code.FAILED_PRECONDITION,
        message: 'upstream authority is not configured',
      });
    }
  });
});
