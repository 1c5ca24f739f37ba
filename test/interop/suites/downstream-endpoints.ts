import { parseCertificate } from '@steeple/client';
import { ensure } from '../case.ts';
import { eventually, hasX509, now } from '../spire/checks.ts';
import { expectOutcome } from '../spire/outcome.ts';
import { csrOf, newKey, publicDer, remoteApi } from '../spire/remote.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;

/**
 * SPIRE's `downstream-endpoints`: a downstream SVID gets a CA below ours and publishes keys, an ordinary one does not.
 * Stronger than there: the CA is used, and what was published reaches agents.
 */
export const downstreamEndpoints: Suite = {
  name: 'downstream-endpoints',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const agent = await site.agent(pairing.agent, server);
    await server.createEntry(server.id('/below'), agent.id, [self], { downstream: true });
    await server.createEntry(server.id('/workload'), agent.id, [self]);
    const { svid: below } = await hasX509(agent, server.id('/below'));
    const { svid: ordinary } = await hasX509(agent, server.id('/workload'));

    const api = await remoteApi(site, server, below);
    const csr = await csrOf(newKey());
    const { caCertChain, x509Authorities } = await api.svid.newDownstreamX509CA({ csr }, { deadline: 10 });
    const [ca] = caCertChain.map(parseCertificate);
    const roots = x509Authorities.map(parseCertificate);
    ensure(ca?.isCa === true && ca.keyUsage?.keyCertSign === true, 'the certificate is a CA');
    ensure(ca.uriSans.join() === server.id(''), `it names the trust domain only: ${ca.uriSans}`);
    ensure(ca.notAfter <= Math.max(...roots.map(({ notAfter }) => notAfter)), 'it does not outlive its issuer');
    ensure(roots.length > 0, 'the roots come with it');

    const key = {
      keyId: 'published-by-test',
      publicKey: publicDer(newKey()),
      expiresAt: BigInt(Math.floor(now()) + 3600),
    };
    const { jwtAuthorities } = await api.bundle.publishJWTAuthority({ jwtAuthority: key }, { deadline: 10 });
    ensure(
      jwtAuthorities.some(({ keyId }) => keyId === key.keyId),
      'the answer holds the published key',
    );
    await eventually('the key reaches the workloads', async () => {
      const bundles = await agent.workload.fetchJwtBundles({ timeout: 10 });
      return bundles.get(server.trustDomain)?.jwtAuthorities.some(({ kid }) => kid === key.keyId) ? true : undefined;
    });

    const stranger = await remoteApi(site, server, ordinary);
    const denied = /^PermissionDenied: authorization denied for method/;
    await expectOutcome('a CA', stranger.svid.newDownstreamX509CA({ csr }, { deadline: 10 }), denied);
    await expectOutcome('a key', stranger.bundle.publishJWTAuthority({ jwtAuthority: key }, { deadline: 10 }), denied);
  },
};
