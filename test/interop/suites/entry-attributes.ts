import { SpiffeId } from '@steeple/client';
import { ensure } from '../case.ts';
import { fetchJwt, hasX509, losesX509, now } from '../spire/checks.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

/** What an entry says arrives in the SVIDs: lives, names, hints, `jti`, an end; several selectors mean all of them. */
export const entryAttributes: Suite = {
  name: 'entry-attributes',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    // One agent asks for changes only, the other for the whole list each time, as SPIRE's can be told to.
    const settings = { experimental: { sync_interval: '1s', use_sync_authorized_entries: false } };
    for (const agent of [
      await site.agent(pairing.agent, server),
      await site.agent(pairing.agent, server, { settings }),
    ]) {
      const id = SpiffeId.parse(server.id('/full'));
      await server.createEntry(id.toString(), agent.id, [self, `unix:gid:${process.getgid?.()}`], {
        x509SvidTtl: 120,
        jwtSvidTtl: 60,
        dnsNames: ['web.domain.test', '*.apps.domain.test'],
        hint: 'external',
        additionalAttributes: { jwtSvidIncludeJti: true },
      });
      const { svid } = await hasX509(agent, id.toString());
      const life = svid.leaf.notAfter - svid.leaf.notBefore;
      ensure(life >= 120 && life <= 135, `120 s and the allowance for clocks: ${life}`);
      ensure(svid.leaf.dnsSans.join() === 'web.domain.test,*.apps.domain.test', `names in order: ${svid.leaf.dnsSans}`);
      ensure(svid.hint === 'external', `the hint: ${svid.hint}`);
      const token = claimsOf(await fetchJwt(agent, id));
      ensure(
        Math.abs(Number(token['exp']) - Number(token['iat']) - 60) <= 1,
        `a token of 60 s: ${JSON.stringify(token)}`,
      );
      ensure(typeof token['jti'] === 'string' && token['jti'] !== '', 'with an id');

      await server.createEntry(server.id('/both'), agent.id, [self, 'unix:uid:64999']);
      const expiresAt = BigInt(Math.floor(now()) + 8);
      await server.createEntry(server.id('/passing'), agent.id, [self], { expiresAt });
      const passing = await hasX509(agent, server.id('/passing'));
      ensure(!passing.context.svids.some(({ id: { path } }) => path === '/both'), 'every selector has to fit');
      // SPIRE's server goes on with expired entries until it removes them, which may take half an hour.
      if (pairing.server === 'steeple') await losesX509(agent, server.id('/passing'), 40);
      await hasX509(agent, id.toString());
    }
  },
};
