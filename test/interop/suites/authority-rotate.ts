import { parseCertificate } from '@steeple/client';
import { run } from '../../stack/process.ts';
import { ensure } from '../case.ts';
import { fetchX509, hasX509 } from '../spire/checks.ts';
import { steeple } from '../spire/maker.ts';
import { steadily } from '../spire/steadily.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const call = { deadline: 10 };
/** Seconds that the command waits where a server cannot tell what its agents hold, as SPIRE's. */
const BLIND_WAIT = 25;

/** `steeple authority rotate --compromised` on either server, with agents of either kind: the workloads notice nothing. */
export const authorityRotate: Suite = {
  name: 'authority rotate --compromised',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server);
    const ids = [server.id('/here'), server.id('/there')] as const;
    for (const id of ids) await server.createEntry(id, agent.id, [self]);
    for (const id of ids) await hasX509(agent, id);
    const { authority, bundle } = server.api;
    const bad = (await authority.getX509AuthorityState({}, call)).active?.authorityId ?? '';

    await steadily(agent, ids, async () => {
      const wait = pairing.server === 'spire' ? ['--wait', `${BLIND_WAIT}s`] : [];
      const words = ['authority', 'rotate', 'x509', '--compromised', ...wait, '--socket', server.adminSocket];
      const { path, args } = steeple(...words);
      const { code, output } = await run(path, args);
      ensure(code === 0, `the command succeeds: ${output}`);
      ensure(output.includes(`${bad} is revoked`), `it says what it did: ${output}`);
    });
    const roots = (await bundle.getBundle({}, call)).x509Authorities.map(({ asn1 }) => parseCertificate(asn1));
    const good = (await authority.getX509AuthorityState({}, call)).active?.authorityId;
    ensure(good !== bad && roots.map(({ subjectKeyId }) => subjectKeyId).join() === good, 'one root is left');
    for (const id of ids) {
      const { svid } = await fetchX509(agent, id);
      ensure(svid.leaf.authorityKeyId === good, `${id} stands on the new root`);
    }
    await server.createEntry(server.id('/later'), agent.id, [self]);
    await hasX509(agent, server.id('/later'));
  },
};
