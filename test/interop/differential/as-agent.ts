// What agents and strangers ask over TLS, in good ways and bad.
import { createPublicKey } from 'node:crypto';
import { generateKey, localSigner, makeCsr, spkiOf } from '@steeple/spiffe';
import { eventually } from '../spire/checks.ts';
import { attest, csrOf, newKey, remoteApi, tokenProof } from '../spire/remote.ts';
import type { ServerApi } from '../spire/server-api.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import type { Site } from '../spire/site.ts';
import { asking, type Question } from './request.ts';

const TOKEN = 'differential';
const words = 'the message names the rule in our words';
const [entry, svid, agent, bundle] = [asking('entry'), asking('svid'), asking('agent'), asking('bundle')];

/** An agent that joined with a token, its entries, and one that is not its own. */
export async function asAgent(site: Site, server: ServerUnit): Promise<ServerApi> {
  await server.api.agent.createJoinToken({ ttl: 600, token: TOKEN }, { deadline: 10 });
  const stranger = await remoteApi(site, server);
  const { svid: own } = await attest(stranger, tokenProof(TOKEN));
  const parent = own.id.toString();
  await server.createEntry(server.id('/plain'), parent, ['unix:uid:1'], { id: 'plain' });
  const more = { dnsNames: ['b.test', 'a.test'], x509SvidTtl: 300, jwtSvidTtl: 60, hint: 'h' };
  await server.createEntry(server.id('/full'), parent, ['unix:uid:2', 'unix:gid:3'], { id: 'full', ...more });
  await server.createEntry(server.id('/other'), server.id('/spire/agent/x/y'), ['unix:uid:1'], { id: 'other' });
  const api = await remoteApi(site, server, own);
  // SPIRE hands out what it read some seconds ago.
  await eventually('the entries are handed out', async () => {
    const { entries } = await api.entry.getAuthorizedEntries({}, { deadline: 10 });
    return entries.length === 2 ? true : undefined;
  });
  return api;
}

export const asStranger = (site: Site, server: ServerUnit): Promise<ServerApi> => remoteApi(site, server);

export async function agentQuestions(): Promise<readonly Question[]> {
  const csr = await csrOf(newKey());
  const broken = Uint8Array.from(csr);
  broken[broken.length - 3] = (broken.at(-3) ?? 0) ^ 1;
  const named = Uint8Array.from(
    await makeCsr(localSigner(generateKey('ec-p256')), { uri: 'spiffe://elsewhere.test/x', dnsNames: ['evil.test'] }),
  );
  const publicKey = Uint8Array.from(spkiOf(createPublicKey(generateKey('ec-p256'))));
  const sign = (params: readonly object[], better?: string): Question => svid('batchNewX509SVID', { params }, better);
  return [
    entry('getAuthorizedEntries'),
    entry('getAuthorizedEntries', { outputMask: {} }),
    entry('getAuthorizedEntries', { outputMask: { spiffeId: true, selectors: true, hint: true } }),
    sign([]),
    sign([{ entryId: 'plain', csr }]),
    sign([{ entryId: 'full', csr: named }]),
    sign([
      { entryId: 'none', csr },
      { entryId: 'other', csr },
      { entryId: 'plain', csr },
    ]),
    sign([{ csr }]),
    sign([{ entryId: 'plain' }]),
    sign([{ entryId: 'plain', csr: Uint8Array.of(1, 2, 3) }], words),
    sign([{ entryId: 'plain', csr: broken }], words),
    svid('newJWTSVID', { entryId: 'plain', audience: ['a'] }),
    svid('newJWTSVID', { entryId: 'full', audience: ['a', 'b'] }),
    svid('newJWTSVID', { entryId: 'plain', audience: [] }),
    svid('newJWTSVID', { entryId: 'plain', audience: ['a', ''] }, 'InvalidArgument instead of Internal'),
    svid('newJWTSVID', { entryId: 'none', audience: ['a'] }),
    svid('newJWTSVID', { entryId: 'other', audience: ['a'] }),
    svid('newJWTSVID', { audience: ['a'] }, 'InvalidArgument: what is missing is told'),
    svid(
      'batchNewWITSVID',
      { params: [{ entryId: 'plain', publicKey, signingAlgorithm: 'ES256' }] },
      'a feature that is off is Unimplemented',
    ),
    svid('newDownstreamX509CA', { csr }),
    svid('mintX509SVID', { csr }),
    bundle('getBundle'),
    bundle('getBundle', { outputMask: { jwtAuthorities: true } }),
    bundle('getFederatedBundle', { trustDomain: 'none.test' }),
    bundle('getFederatedBundle', { trustDomain: 'domain.test' }),
    bundle('publishJWTAuthority', {}),
    bundle('countBundles'),
    agent('postStatus', { agentVersion: '1.2.3' }),
    agent('postStatus', { agentVersion: 'v'.repeat(256) }),
    agent('postStatus', {}),
    agent('listAgents'),
    agent('renewAgent'),
    agent('renewAgent', { params: {} }),
    agent('renewAgent', { params: { csr: Uint8Array.of(1, 2, 3) } }, words),
    agent('renewAgent', { params: { csr: broken } }, 'proof of possession is asked for'),
    agent('renewAgent', { params: { csr } }),
    entry('listEntries'),
  ];
}

type Step = Parameters<ServerApi['agent']['attestAgent']>[0] extends AsyncIterable<infer R> ? R : never;

/** What a server answers to these messages of a node that wants to join. */
const joining = (name: string, steps: readonly Step[], better?: string): Question => ({
  name: `joining with ${name}`,
  walk: async (api) => {
    async function* sent(): AsyncGenerator<Step> {
      yield* steps;
    }
    const answers: string[] = [];
    for await (const { step } of api.agent.attestAgent(sent(), { deadline: 20 })) answers.push(step.case ?? 'nothing');
    return answers;
  },
  ...(better !== undefined && { better }),
});

export async function strangerQuestions(): Promise<readonly Question[]> {
  const csr = await csrOf(newKey());
  const broken = Uint8Array.from(csr);
  broken[broken.length - 3] = (broken.at(-3) ?? 0) ^ 1;
  const params = (type: string, payload: string, request: Uint8Array<ArrayBuffer> = csr): Step => ({
    step: { case: 'params', value: { data: { type, payload: Buffer.from(payload) }, params: { csr: request } } },
  });
  return [
    joining('nothing', [], 'the message says what is missing'),
    joining('an answer to no question', [{ step: { case: 'challengeResponse', value: new Uint8Array(3) } }]),
    joining('empty parameters', [{ step: { case: 'params', value: {} } }]),
    joining('no request', [{ step: { case: 'params', value: { data: { type: 'join_token', payload: csr } } } }]),
    joining('no type', [params('', 'x')]),
    joining('no payload', [params('join_token', '')]),
    joining('an unknown type', [params('nonsense', 'x')]),
    joining('an unknown token', [params('join_token', 'none')]),
    joining('a broken request', [params('join_token', 'none', Uint8Array.of(1, 2, 3))], 'the request is judged first'),
    joining('a certificate that is none', [params('x509pop', 'nonsense')], words),
    joining('a certificate list without certificates', [params('x509pop', '{"certificates":[]}')], words),
    bundle('getBundle'),
    bundle('getFederatedBundle', { trustDomain: 'none.test' }),
    bundle('listFederatedBundles'),
    agent('renewAgent', { params: { csr } }),
    agent('postStatus', { agentVersion: '1' }),
    entry('getAuthorizedEntries'),
    svid('batchNewX509SVID', { params: [{ entryId: 'x', csr }] }),
    asking('logger')('getLogger', {}, 'told by another gRPC library'),
    asking('debug')('getInfo', {}, 'told by another gRPC library'),
  ];
}
