import { SpiffeId } from '@steeple/client';
import { ensure } from '../case.ts';
import { expectOutcome } from '../spire/outcome.ts';
import { attest, certificateProof, csrOf, newKey, remoteApi, renew, tokenProof } from '../spire/remote.ts';
import type { ServerUnit } from '../spire/server-unit.ts';
import { wireId } from '../spire/server-unit.ts';
import type { Site } from '../spire/site.ts';
import { EACH_SERVER, type Suite } from '../spire/suite.ts';

/**
 * SPIRE's `node-attestation`: an agent of the test's own speaks the Agent API, honestly and otherwise. Beyond SPIRE's steps
 * it lies about keys, sends garbage, uses what is used up, and renews with an old SVID.
 */
export const nodeAttestation: Suite = {
  name: 'node-attestation',
  pairings: EACH_SERVER,
  run: async (site, pairing) => {
    const server = await site.server(pairing.server);
    await byToken(site, server);
    await byCertificate(site, server);
    await lies(site, server);
  },
};

async function byToken(site: Site, server: ServerUnit): Promise<void> {
  const stranger = await remoteApi(site, server);
  const token = await server.joinToken();
  const { svid, reattestable } = await attest(stranger, tokenProof(token));
  const id = server.id(`/spire/agent/join_token/${token}`);
  ensure(svid.id.toString() === id, `the agent is ${id}, not ${svid.id}`);
  ensure(!reattestable, 'a join token is good once, so the agent is told that it cannot attest again');
  const used = /^InvalidArgument: failed to attest: join token does not exist or has already been used$/;
  await expectOutcome('the token a second time', attest(stranger, tokenProof(token)), used);
  await expectOutcome('a token that never was', attest(stranger, tokenProof('made-up')), used);

  const renewed = await renew(await remoteApi(site, server, svid));
  ensure(renewed.leaf.serialHex !== svid.leaf.serialHex, 'a renewal brings another certificate');
  // The new SVID counts from its first use on; then the old one is history.
  const api = await remoteApi(site, server, renewed);
  await api.entry.getAuthorizedEntries({}, { deadline: 10 });
  const old = await remoteApi(site, server, svid);
  await expectOutcome(
    'the old SVID',
    old.entry.getAuthorizedEntries({}, { deadline: 10 }),
    /^PermissionDenied: .*\[AGENT_NOT_ACTIVE\]$/,
  );

  await server.api.agent.banAgent({ id: wireId(id) }, { deadline: 10 });
  const banned = /^PermissionDenied: .*\[AGENT_BANNED\]$/;
  await expectOutcome('a banned agent renews', renew(api), banned);
  await expectOutcome('a banned agent asks', api.entry.getAuthorizedEntries({}, { deadline: 10 }), banned);
}

async function byCertificate(site: Site, server: ServerUnit): Promise<void> {
  const stranger = await remoteApi(site, server);
  const node = await server.nodes.issue(['x509pop://domain.test/cluster/blue']);
  const again = () => attest(stranger, certificateProof(node));
  const { svid, reattestable } = await again();
  const id = SpiffeId.parse(server.id(`/spire/agent/x509pop/${node.fingerprint}`));
  ensure(svid.id.equals(id) && reattestable, 'the id is made of the fingerprint and may attest again');
  const agent = await server.api.agent.getAgent({ id: wireId(id.toString()) }, { deadline: 10 });
  const selectors = agent.selectors.map(({ type, value }) => `${type}:${value}`);
  for (const expected of ['x509pop:subject:cn:node-1', 'x509pop:san:cluster:blue']) {
    ensure(selectors.includes(expected), `${expected} among ${selectors}`);
  }
  await again();
  const where = { id: wireId(id.toString()) };
  await server.api.agent.deleteAgent(where, { deadline: 10 });
  await again();
  await server.api.agent.banAgent(where, { deadline: 10 });
  await expectOutcome('a banned agent', again(), 'PermissionDenied: failed to attest: agent is banned');
  await server.api.agent.deleteAgent(where, { deadline: 10 });
  await again();
}

async function lies(site: Site, server: ServerUnit): Promise<void> {
  const stranger = await remoteApi(site, server);
  const node = await server.nodes.issue();
  const liar = attest(stranger, certificateProof(node, newKey()));
  await expectOutcome('another key', liar, /^PermissionDenied: .*challenge response verification failed/);
  const garbage = { type: 'x509pop', payload: Buffer.from('{') };
  await expectOutcome('garbage', attest(stranger, garbage), /^InvalidArgument: /);
  const unknown = { type: 'telepathy', payload: Buffer.from('x') };
  await expectOutcome(
    'an unknown kind',
    attest(stranger, unknown),
    /^(FailedPrecondition|InvalidArgument): .*"?telepathy"?/,
  );
  const empty = { type: '', payload: Buffer.from('x') };
  await expectOutcome(
    'no kind',
    attest(stranger, empty),
    /^InvalidArgument: malformed param: missing attestation data type$/,
  );
  const token = await server.joinToken();
  const noCsr = attest(stranger, tokenProof(token), newKey(), new Uint8Array(0));
  await expectOutcome('no CSR', noCsr, /^InvalidArgument: malformed param: missing CSR$/);
  const badCsr = attest(stranger, tokenProof(token), newKey(), Uint8Array.of(1, 2, 3));
  await expectOutcome('a broken CSR', badCsr, /^InvalidArgument: /);
  const strangerRenews = stranger.agent.renewAgent({ params: { csr: await csrOf(newKey()) } }, { deadline: 10 });
  await expectOutcome('a stranger renews', strangerRenews, /^PermissionDenied: /);
}
