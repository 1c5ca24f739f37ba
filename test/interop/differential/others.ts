// Agents, join tokens, minted SVIDs, logger, debug.
import { createPublicKey } from 'node:crypto';
import { generateKey, localSigner, makeCsr, spkiOf } from '@steeple/spiffe';
import { asking, type Question } from './request.ts';

const td = 'domain.test';
const id = (path: string, trustDomain = td) => ({ trustDomain, path });
const [agent, svid, logger, debug] = [asking('agent'), asking('svid'), asking('logger'), asking('debug')];
const words = 'the message names the rule in our words';

const ids: readonly (readonly [object, string?])[] = [
  [{}],
  [{ id: id('/spire/agent/x509pop/none') }],
  [{ id: id('/none') }],
  [{ id: id('') }],
  [{ id: id('/spire/agent/x', 'other.test') }],
  [{ id: id('/spire/agent') }],
  [{ id: id('x') }, words],
];

const agents: readonly Question[] = [
  agent('countAgents'),
  agent('listAgents'),
  agent('listAgents', { filter: { byAttestationType: 'x509pop', byBanned: false, byCanReattest: true } }),
  agent('listAgents', { filter: { byBanned: true } }),
  agent('countAgents', { filter: { byExpiresBefore: '2100-01-02 15:04:05 -0700 -07' } }),
  agent('countAgents', { filter: { byExpiresBefore: 'tomorrow' } }, 'the message shows the form'),
  agent(
    'countAgents',
    { filter: { bySelectorMatch: { selectors: [], match: 0 } } },
    'InvalidArgument instead of Internal',
  ),
  agent(
    'listAgents',
    { filter: { bySelectorMatch: { selectors: [], match: 0 } } },
    'InvalidArgument instead of Internal',
  ),
  agent('listAgents', { filter: { bySelectorMatch: { selectors: [{ type: '', value: '' }], match: 0 } } }),
  agent('listAgents', { filter: { bySelectorMatch: { selectors: [{ type: 'a', value: 'b' }], match: 3 } } }),
  agent('listAgents', { pageSize: 5, pageToken: 'x' }, 'InvalidArgument instead of Internal'),
  ...ids.flatMap(([request, better]) => [
    agent('getAgent', request, better),
    agent('banAgent', request, better),
    agent('deleteAgent', request, better),
  ]),
  agent('createJoinToken', { ttl: 60 }),
  agent('createJoinToken', { ttl: 60, token: 'chosen', agentId: id('/cluster') }),
  agent('createJoinToken', { ttl: 60, token: 'chosen' }, 'the message names no table'),
  agent('createJoinToken', {}),
  agent('createJoinToken', { ttl: -1 }),
  agent('createJoinToken', { ttl: 60, agentId: id('/spire/agent/x') }),
  agent('createJoinToken', { ttl: 60, agentId: id('/x', 'other.test') }),
  agent('createJoinToken', { ttl: 60, agentId: id('') }),
  agent('createJoinToken', { ttl: 60, token: 't'.repeat(300) }, 'a token of more than 255 bytes is refused'),
  agent('renewAgent'),
  agent('postStatus'),
  asking('entry')('listEntries', { filter: { bySpiffeId: id('/cluster') } }),
  asking('entry')('getAuthorizedEntries'),
  svid('batchNewX509SVID'),
  svid('newJWTSVID'),
  svid('newDownstreamX509CA'),
];

const process: readonly Question[] = [
  logger('getLogger'),
  logger('setLogLevel', { newLevel: 5 }),
  logger('setLogLevel', {}),
  logger('setLogLevel', { newLevel: 99 }),
  logger('resetLogLevel'),
  debug('getInfo'),
];

/** A signing request for these names. */
const csr = async (uri?: string, dnsNames: readonly string[] = []): Promise<Uint8Array> =>
  Uint8Array.from(
    await makeCsr(localSigner(generateKey('ec-p256')), {
      ...(uri !== undefined && { uri }),
      ...(dnsNames.length > 0 && { dnsNames: [...dnsNames] }),
    }),
  );

export async function otherQuestions(): Promise<readonly Question[]> {
  const good = await csr(`spiffe://${td}/web`);
  const tampered = Uint8Array.from(good);
  tampered[tampered.length - 3] = (tampered.at(-3) ?? 0) ^ 1;
  const publicKey = Uint8Array.from(spkiOf(createPublicKey(generateKey('ec-p256'))));
  return [
    ...agents,
    ...process,
    svid('mintX509SVID', { csr: good, ttl: 60 }),
    svid('mintX509SVID', {}),
    svid('mintX509SVID', { csr: Uint8Array.of(1, 2, 3) }, words),
    svid('mintX509SVID', { csr: tampered }, words),
    svid('mintX509SVID', { csr: await csr() }),
    svid('mintX509SVID', { csr: await csr(`spiffe://${td}`) }),
    svid('mintX509SVID', { csr: await csr('spiffe://other.test/x') }),
    svid('mintX509SVID', { csr: await csr(`spiffe://${td}/spire/agent/x`) }),
    svid('mintX509SVID', { csr: await csr(`spiffe://${td}/web`, ['a.test', '*.b.test']) }),
    svid('mintX509SVID', { csr: await csr(`spiffe://${td}/web`, ['a.b.test', '*.b.test']) }, words),
    svid('mintX509SVID', { csr: good, ttl: -1 }, 'a negative life is a mistake'),
    svid('mintJWTSVID', { id: id('/web'), audience: ['a'], ttl: 60 }),
    svid('mintJWTSVID', { id: id('/web'), audience: [] }),
    svid('mintJWTSVID', { id: id('/web'), audience: [''] }, 'InvalidArgument instead of Internal'),
    svid('mintJWTSVID', { audience: ['a'] }),
    svid('mintJWTSVID', { id: id('/web', 'other.test'), audience: ['a'] }),
    svid('mintJWTSVID', { id: id('/spire/server'), audience: ['a'] }),
    svid('mintJWTSVID', { id: id('/web'), audience: ['a'], ttl: -1 }, 'a negative life is a mistake'),
    svid('mintWITSVID', { id: id('/web'), publicKey, signingAlgorithm: 'ES256' }),
  ];
}
