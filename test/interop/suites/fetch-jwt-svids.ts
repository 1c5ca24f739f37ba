import { SpiffeId } from '@steeple/client';
import { ensure } from '../case.ts';
import { eventually, fetchJwt, hasX509 } from '../spire/checks.ts';
import { expectOutcome, outcome } from '../spire/outcome.ts';
import { wireId } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const COUNT = 10;
const DISABLED = /^\w+: .*JWT functionality is disabled/;

/** SPIRE's `fetch-jwt-svids`: more tokens than the cache holds, and a server that issues none any more. */
export const fetchJwtSvids: Suite = {
  name: 'fetch-jwt-svids',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server, { settings: { jwt_svid_cache_max_size: 8 } });
    const ids = Array.from({ length: COUNT }, (_, index) => SpiffeId.parse(server.id(`/workload-${index}`)));
    for (const id of ids) await server.createEntry(id.toString(), agent.id, [self], { jwtSvidTtl: 600 });
    for (const id of ids) await hasX509(agent, id.toString());
    const all = await agent.workload.fetchJwtSvids({ audience: ['one', 'two'] }, { timeout: 20 });
    ensure(
      new Set(all.map(({ id }) => id.toString())).size === COUNT,
      `one token for each identity, not ${all.length}`,
    );
    ensure(
      all.every(({ audience }) => audience.join() === 'one,two'),
      'the audience is as asked',
    );
    const [first] = ids;
    if (first === undefined) throw new Error('an id');
    const cached = await fetchJwt(agent, first, 'again');
    ensure((await fetchJwt(agent, first, 'again')) === cached, 'a fresh token is served again');
    await expectOutcome(
      'another audience',
      agent.workload.validateJwtSvid(cached, 'another', { timeout: 10 }),
      /^InvalidArgument: /,
    );

    await server.process.stop();
    await server.writeConfig({ disable_jwt_svids: true });
    await server.start();
    const call = { deadline: 10 };
    const { authority, svid } = server.api;
    const authorityId = 'test';
    const calls = {
      prepare: () => authority.prepareJWTAuthority({}, call),
      show: () => authority.getJWTAuthorityState({}, call),
      activate: () => authority.activateJWTAuthority({ authorityId }, call),
      taint: () => authority.taintJWTAuthority({ authorityId }, call),
      revoke: () => authority.revokeJWTAuthority({ authorityId }, call),
      mint: () => svid.mintJWTSVID({ id: wireId(first.toString()), audience: ['a'] }, call),
    };
    for (const [name, disabled] of Object.entries(calls)) await expectOutcome(name, disabled(), DISABLED);
    await eventually('the agent says that there are no tokens', async () => {
      const asked = agent.workload.fetchJwtSvids({ audience: ['never asked before'] }, { timeout: 10 });
      return DISABLED.test(await outcome(asked)) ? true : undefined;
    });
    await hasX509(agent, first.toString());
  },
};
