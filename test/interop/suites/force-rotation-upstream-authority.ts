import { parseCertificate } from '@steeple/client';
import { ensure } from '../case.ts';
import { eventually, fetchX509, hasX509 } from '../spire/checks.ts';
import { steadily } from '../spire/steadily.ts';
import type { Suite } from '../spire/suite.ts';
import { UpstreamRoot } from '../spire/upstream-root.ts';

const self = `unix:uid:${process.getuid?.()}`;
const call = { deadline: 20 };

/**
 * SPIRE's `force-rotation-upstream-authority`: another root above the server (UpstreamAuthority "disk"), the old one
 * tainted, everything below it replaced, and revoked.
 */
export const forceRotationUpstreamAuthority: Suite = {
  name: 'force-rotation-upstream-authority',
  run: async (site, pairing) => {
    const upstream = await UpstreamRoot.create(site.folder('upstream'), 'first');
    const { certificatePath: cert_file_path, keyPath: key_file_path } = upstream;
    const server = await site.server(pairing.server, {
      plugins: { UpstreamAuthority: { disk: { cert_file_path, key_file_path } } },
    });
    const agent = await site.agent(pairing.agent, server);
    const ids = [server.id('/here'), server.id('/there')] as const;
    for (const id of ids) await server.createEntry(id, agent.id, [self]);
    for (const id of ids) {
      const { svid } = await hasX509(agent, id);
      ensure(svid.chain.length === 2, `leaf and intermediate, not ${svid.chain.length}`);
    }
    const { authority, bundle } = server.api;
    const roots = async () => (await bundle.getBundle({}, call)).x509Authorities;
    const firstRoot = parseCertificate((await roots())[0]?.asn1 ?? new Uint8Array());
    ensure(firstRoot.raw.toString() === upstream.root.der.toString(), 'the root in the bundle is the one in the file');

    await steadily(agent, ids, async () => {
      await upstream.replace('second');
      const prepared = (await authority.prepareX509Authority({}, call)).preparedAuthority;
      ensure(prepared?.upstreamAuthoritySubjectKeyId === upstream.subjectKeyId, 'the new root signed what is prepared');
      await eventually('both roots are at the workloads', async () => {
        const { context } = await fetchX509(agent, ids[0]);
        return context.bundles.get(server.trustDomain)?.x509Authorities.length === 2 ? true : undefined;
      });
      await authority.activateX509Authority({ authorityId: prepared.authorityId }, call);
      const old = (await authority.getX509AuthorityState({}, call)).old?.upstreamAuthoritySubjectKeyId ?? '';
      ensure(old === firstRoot.subjectKeyId, 'the old authority is below the first root');
      await authority.taintX509UpstreamAuthority({ subjectKeyId: old }, call);
      for (const id of ids) {
        await eventually(
          `${id} comes from the new root`,
          async () => {
            const { svid } = await fetchX509(agent, id);
            return svid.leaf.authorityKeyId === prepared.authorityId ? true : undefined;
          },
          60,
        );
      }
      await authority.revokeX509UpstreamAuthority({ subjectKeyId: old }, call);
      await eventually('the old root is gone', async () => {
        const { context } = await fetchX509(agent, ids[0]);
        return context.bundles.get(server.trustDomain)?.x509Authorities.length === 1 ? true : undefined;
      });
    });
  },
};
