import { setImmediate } from 'node:timers/promises';
import { dnsNameProblem, type EntryDraft, IssuerError, requireWorkload, wildcardOverlap } from '@steeple/core';
import type { Handlers } from '@steeple/proto/grpc';
import type { svidV1 } from '@steeple/proto/server-api';
import { type Certificate, type Csr, SpiffeId, type TrustDomain } from '@steeple/spiffe';
import type { Downstream } from '../app/downstream.ts';
import { readRequest, type SvidIssuance } from '../app/svid-issuance.ts';
import { auditItem } from './audit.ts';
import { attempt } from './batch.ts';
import { agentOf } from './caller.ts';
import { orInvalid, prefixed, readId, type WireId } from './translate/spiffe-id.ts';
import { wireTokenSvid, wireX509Svid } from './translate/svid.ts';

/** Items of a batch that are signed before others get their turn: signing is work for this thread. */
const TURN = 8;

/** spire.api.server.svid.v1.SVID */
export const svidHandlers = (use: {
  trustDomain: TrustDomain;
  issuance: SvidIssuance;
  downstream: Pick<Downstream, 'newCa'>;
}): Handlers<typeof svidV1.SVID> => ({
  async batchNewX509SVID({ params }, ctx) {
    if (params.length === 0) throw new IssuerError('invalid-argument', 'missing parameters');
    const find = use.issuance.entriesOf(agentOf(ctx));
    const keyAt = use.issuance.keysOf(params.map(({ csr }) => csr));
    const results = [];
    for (const [index, { entryId }] of params.entries()) {
      if (index % TURN === TURN - 1) await setImmediate();
      const { status, value } = await attempt(ctx, () => use.issuance.newX509(find, entryId, () => keyAt(index)));
      auditItem(
        ctx,
        () => ({ registration_id: entryId, ...(value && { serial_num: value.leaf.serialDecimal }) }),
        status,
      );
      results.push({ status, ...(value && { svid: wireX509Svid(value) }) });
    }
    return { results };
  },

  async newJWTSVID({ entryId, audience }, ctx) {
    const svid = await use.issuance.newJwt(use.issuance.entriesOf(agentOf(ctx)), entryId, audience);
    auditItem(ctx, { registration_id: entryId, audience });
    return { svid: wireTokenSvid(svid) };
  },

  async batchNewWITSVID({ params }, ctx) {
    use.issuance.requireWit();
    if (params.length === 0) throw new IssuerError('invalid-argument', 'missing parameters');
    const find = use.issuance.entriesOf(agentOf(ctx));
    const results = [];
    for (const [index, { entryId, publicKey, signingAlgorithm }] of params.entries()) {
      if (index % TURN === TURN - 1) await setImmediate();
      const { status, value } = await attempt(ctx, () =>
        use.issuance.newWit(find, entryId, publicKey, signingAlgorithm),
      );
      auditItem(ctx, { registration_id: entryId }, status);
      // Success leaves the status unset here, unlike in the X.509 batch.
      results.push(value ? { svid: wireTokenSvid(value) } : { status });
    }
    return { results };
  },

  async newDownstreamX509CA({ csr, preferredTtl }, ctx) {
    const { chain, roots } = await use.downstream.newCa(csr, readTtl(preferredTtl));
    auditItem(ctx, { trust_domain_id: use.trustDomain.id, expires_at: chain[0]?.notAfter });
    return { caCertChain: chain.map(derOf), x509Authorities: roots.map(derOf) };
  },

  async mintX509SVID({ csr: der, ttl }, ctx) {
    const csr = readRequest(der, 'failed to verify CSR signature');
    const id = readCsrId(csr, use.trustDomain);
    checkDnsNames(csr.dnsSans);
    const svid = await use.issuance.mintX509(id, csr, readTtl(ttl));
    auditItem(ctx, { spiffe_id: id.toString(), dns_names: csr.dnsSans, ttl, serial_num: svid.leaf.serialDecimal });
    return { svid: wireX509Svid(svid) };
  },

  async mintJWTSVID({ id: wire, audience, ttl }, ctx) {
    const id = readWorkloadId(wire, use.trustDomain);
    const svid = await use.issuance.mintJwt(id, audience, readTtl(ttl));
    auditItem(ctx, { spiffe_id: id.toString(), audience, ttl });
    return { svid: wireTokenSvid(svid) };
  },

  async mintWITSVID({ id: wire, publicKey, ttl, signingAlgorithm }, ctx) {
    use.issuance.requireWit();
    const id = readWorkloadId(wire, use.trustDomain);
    const svid = await use.issuance.mintWit(id, publicKey, signingAlgorithm, readTtl(ttl));
    auditItem(ctx, { spiffe_id: id.toString(), ttl });
    return { svid: wireTokenSvid(svid) };
  },
});

const derOf = ({ raw }: Certificate): Uint8Array<ArrayBuffer> => Uint8Array.from(raw);

const readWorkloadId = (wire: WireId | undefined, trustDomain: TrustDomain): SpiffeId =>
  prefixed('invalid SPIFFE ID', () => {
    const id = readId(wire);
    requireWorkload(id, trustDomain);
    return id;
  });

const readCsrId = (csr: Csr, trustDomain: TrustDomain): SpiffeId => {
  const [uri, ...more] = csr.uriSans;
  if (uri === undefined) throw new IssuerError('invalid-argument', 'CSR URI SAN is required');
  if (more.length > 0) throw new IssuerError('invalid-argument', 'only one URI SAN is expected');
  return prefixed('CSR URI SAN is invalid', () => {
    const id = orInvalid(() => SpiffeId.parse(uri));
    requireWorkload(id, trustDomain);
    return id;
  });
};

const checkDnsNames = (names: EntryDraft['dnsNames']): void => {
  for (const name of names) {
    const problem = dnsNameProblem(name);
    if (problem) throw new IssuerError('invalid-argument', `CSR DNS name is invalid: ${problem}`);
  }
  const overlap = wildcardOverlap(names);
  if (overlap) {
    throw new IssuerError('invalid-argument', `CSR DNS name is invalid: ${overlap.wildcard} covers ${overlap.covered}`);
  }
};

const readTtl = (ttl: number): number => {
  if (ttl < 0) throw new IssuerError('invalid-argument', 'ttl cannot be negative');
  return ttl;
};
