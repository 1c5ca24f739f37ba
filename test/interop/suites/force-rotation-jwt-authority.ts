import { SpiffeId } from '@steeple/client';
import { ensure } from '../case.ts';
import { eventually, fetchJwt, hasX509 } from '../spire/checks.ts';
import { expectOutcome } from '../spire/outcome.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const call = { deadline: 10 };
const kidOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;

/** SPIRE's `force-rotation-jwt-authority`: prepare, activate, taint, and tokens are replaced; revoke, and old ones are refused. */
export const forceRotationJwtAuthority: Suite = {
  name: 'force-rotation-jwt-authority',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server);
    const id = SpiffeId.parse(server.id('/workload'));
    await server.createEntry(id.toString(), agent.id, [self]);
    await hasX509(agent, id.toString());
    const { authority, bundle } = server.api;
    const first = (await authority.getJWTAuthorityState({}, call)).active?.authorityId ?? '';
    const before = await fetchJwt(agent, id);
    ensure(kidOf(before) === first, `the active authority signs: ${kidOf(before)}, ${first}`);

    const next = (await authority.prepareJWTAuthority({}, call)).preparedAuthority?.authorityId ?? '';
    const keys = async () => (await bundle.getBundle({}, call)).jwtAuthorities;
    ensure(
      (await keys()).some(({ keyId }) => keyId === next),
      'a prepared key is in the bundle',
    );
    await eventually('the prepared key reaches the workloads', async () => {
      const own = (await agent.workload.fetchJwtBundles({ timeout: 10 })).get(server.trustDomain);
      return own?.jwtAuthorities.some(({ kid }) => kid === next) ? true : undefined;
    });
    ensure(kidOf(await fetchJwt(agent, id)) === first, 'what is prepared does not sign yet');

    await authority.activateJWTAuthority({ authorityId: next }, call);
    const state = await authority.getJWTAuthorityState({}, call);
    ensure(
      state.active?.authorityId === next && state.old?.authorityId === first,
      'active and old have changed places',
    );
    await authority.taintJWTAuthority({ authorityId: first }, call);
    ensure(
      (await keys()).find(({ keyId }) => keyId === first)?.tainted === true,
      'the old key is marked in the bundle',
    );
    const replaced = async () => (kidOf(await fetchJwt(agent, id)) === next ? true : undefined);
    await eventually('the cached token is replaced', replaced, 40);
    await agent.workload.validateJwtSvid(before, 'somebody', { timeout: 10 });

    await authority.revokeJWTAuthority({ authorityId: first }, call);
    ensure(!(await keys()).some(({ keyId }) => keyId === first), 'a revoked key is not in the bundle');
    await eventually('the agent refuses what the old key signed', async () => {
      const judged = agent.workload.validateJwtSvid(before, 'somebody', { timeout: 10 });
      return judged.then(
        () => undefined,
        () => true,
      );
    });
    await expectOutcome(
      'the old token',
      agent.workload.validateJwtSvid(before, 'somebody', { timeout: 10 }),
      /^InvalidArgument: /,
    );
    await fetchJwt(agent, id);
  },
};
