import {
  BundleSet,
  parseCertificate,
  parseCertificates,
  privateKeyFromPkcs8,
  TrustBundle,
  verifyX509Svid,
  X509Svid,
} from '@steeple/client';
import type { delegatedidentityV1 } from '@steeple/proto/agent-api';
import { ensure } from '../case.ts';
import { eventually, hasX509, losesX509, now } from '../spire/checks.ts';
import { expectOutcome } from '../spire/outcome.ts';
import { wireSelector } from '../spire/server-unit.ts';
import type { Suite } from '../spire/suite.ts';

const self = `unix:uid:${process.getuid?.()}`;
const other = [wireSelector('unix:uid:1002')];
const call = { deadline: 15 };

async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const message of stream) return message;
  throw new Error('the stream ended without a message');
}

/**
 * SPIRE's `delegatedidentity`: who is no authorized delegate is refused every call; a delegate gets the identities of other
 * workloads. Stronger than there: what it gets is verified, follows changes, and ends with the delegate's own identity.
 */
export const delegatedIdentity: Suite = {
  name: 'delegatedidentity',
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    const delegate = server.id('/authorized-delegate');
    const agent = await site.agent(pairing.agent, server, {
      admin: true,
      settings: { authorized_delegates: [delegate] },
    });
    const { delegated } = agent.admin;
    await server.createEntry(server.id('/somebody'), agent.id, [self]);
    const target = await server.createEntry(server.id('/target'), agent.id, ['unix:uid:1002']);
    await hasX509(agent, server.id('/somebody'));
    const calls = {
      FetchJWTSVIDs: () => delegated.fetchJWTSVIDs({ audience: ['a'], selectors: other }, call),
      SubscribeToX509SVIDs: () => first(delegated.subscribeToX509SVIDs({ selectors: other }, call)),
      SubscribeToX509Bundles: () => first(delegated.subscribeToX509Bundles({}, call)),
      SubscribeToJWTBundles: () => first(delegated.subscribeToJWTBundles({}, call)),
    };
    for (const [name, refused] of Object.entries(calls)) await expectOutcome(name, refused(), /^PermissionDenied: /);

    const own = await server.createEntry(delegate, agent.id, [self]);
    await hasX509(agent, delegate);
    const { caCertificates } = await calls.SubscribeToX509Bundles();
    ensure(
      Object.keys(caCertificates).join() === server.id(''),
      `the own trust domain's: ${Object.keys(caCertificates)}`,
    );
    const x509Authorities = parseCertificates(caCertificates[server.id('')] ?? new Uint8Array()).map((certificate) => ({
      certificate,
      tainted: false,
    }));
    const bundles = BundleSet.of(TrustBundle.of(server.trustDomain, { x509Authorities }));
    const followed = delegated.subscribeToX509SVIDs({ selectors: other }, { deadline: 60 })[Symbol.asyncIterator]();
    const next = async () => (await followed.next()).value as delegatedidentityV1.SubscribeToX509SVIDsResponse;
    const [svid] = (await next()).x509Svids.map(read);
    ensure(svid?.id.toString() === server.id('/target'), `the target's SVID: ${svid?.id}`);
    verifyX509Svid(svid.chain, bundles, { now: now() });
    const tokens = await calls.FetchJWTSVIDs();
    ensure(tokens.svids.map(({ id }) => id?.path).join() === '/target', 'the target has one token');
    ensure(Object.keys((await calls.SubscribeToJWTBundles()).bundles).join() === server.id(''), 'and its keys');
    const both = { audience: ['a'], selectors: other, pid: 1 };
    await expectOutcome('selectors and pid', delegated.fetchJWTSVIDs(both, call), /^InvalidArgument: /);
    await expectOutcome('neither', delegated.fetchJWTSVIDs({ audience: ['a'] }, call), /^InvalidArgument: /);

    await server.createEntry(server.id('/second-target'), agent.id, ['unix:uid:1002']);
    await eventually(
      'a change is followed',
      async () => ((await next()).x509Svids.length === 2 ? true : undefined),
      30,
    );
    await server.deleteEntry(target.id);
    await eventually(
      'a removal is followed',
      async () => {
        const { x509Svids } = await next();
        return x509Svids.length === 1 && read(x509Svids[0]).id.path === '/second-target' ? true : undefined;
      },
      30,
    );
    await server.deleteEntry(own.id);
    await losesX509(agent, delegate);
    await expectOutcome('who was a delegate', calls.FetchJWTSVIDs(), /^PermissionDenied: /);
    await followed.return?.();
  },
};

function read(message: delegatedidentityV1.X509SVIDWithKey | undefined): X509Svid {
  if (message?.x509Svid === undefined) throw new Error('no X509-SVID in the message');
  const { certChain, hint } = message.x509Svid;
  return X509Svid.fromParts(certChain.map(parseCertificate), privateKeyFromPkcs8(message.x509SvidKey), hint);
}
