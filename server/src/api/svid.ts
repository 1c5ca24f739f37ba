import { setImmediate } from 'node:timers/promises';
import { dnsNameProblem, type EntryDraft, IssuerError, requireWorkload, wildcardOverlap } from '@steeple/core';
import type { Handlers } from '@steeple/proto/grpc';
import type { svidV1 } from '@steeple/proto/server-api';
import { type Certificate, type Csr, SpiffeId, type TrustDomain } from '@steeple/spiffe';
import type { SignedX509 } from '../app/certificate-authority.ts';
import type { Downstream } from '../app/downstream.ts';
import { readRequest, type SvidIssuance } from '../app/svid-issuance.ts';
import { auditItem } from './audit.ts';
import { requestField } from './audit-fields.ts';
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
    for (const [index, { entryId, csr }] of params.entries()) {
      if (index % TURN === TURN - 1) await setImmediate();
      const { status, value } = await attempt(ctx, () => use.issuance.newX509(find, entryId, () => keyAt(index)));
      const told = () => ({ registration_id: entryId, ...requestField(csr), ...(value && signedFields(value)) });
      auditItem(ctx, told, status);
      results.push({ status, ...(value && { svid: wireX509Svid(value) }) });
    }
    return { results };
  },

  async newJWTSVID({ entryId, audience }, ctx) {
    auditItem(ctx, { registration_id: entryId, audience: audience.join(',') });
    const svid = await use.issuance.newJwt(use.issuance.entriesOf(agentOf(ctx)), entryId, audience);
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
    const told: Record<string, unknown> = { trust_domain_id: use.trustDomain.id };
    auditItem(ctx, () => ({ ...requestField(csr), ...told }));
    const { chain, roots } = await use.downstream.newCa(csr, readTtl(preferredTtl));
    if (chain[0]) told['expires_at'] = timeText(chain[0].notAfter);
    return { caCertChain: chain.map(derOf), x509Authorities: roots.map(derOf) };
  },

  async mintX509SVID({ csr: der, ttl }, ctx) {
    const told: Record<string, unknown> = { ttl };
    auditItem(ctx, () => ({ ...requestField(der), ...told }));
    const csr = readRequest(der, 'failed to verify CSR signature');
    const id = readCsrId(csr, use.trustDomain);
    checkDnsNames(csr.dnsSans);
    const svid = await use.issuance.mintX509(id, csr, readTtl(ttl));
    Object.assign(told, { dns_name: csr.dnsSans.join(','), subject: csr.subjectText }, signedFields(svid));
    return { svid: wireX509Svid(svid) };
  },

  async mintJWTSVID({ id: wire, audience, ttl }, ctx) {
    const told: Record<string, unknown> = { ttl, ...(audience.length > 0 && { audience: audience.join(',') }) };
    auditItem(ctx, told);
    const id = readWorkloadId(wire, use.trustDomain);
    told['spiffe_id'] = id.toString();
    const svid = await use.issuance.mintJwt(id, audience, readTtl(ttl));
    return { svid: wireTokenSvid(svid) };
  },

  async mintWITSVID({ id: wire, publicKey, ttl, signingAlgorithm }, ctx) {
    use.issuance.requireWit();
    const told: Record<string, unknown> = { ttl };
    auditItem(ctx, told);
    const id = readWorkloadId(wire, use.trustDomain);
    told['spiffe_id'] = id.toString();
    const svid = await use.issuance.mintWit(id, publicKey, signingAlgorithm, readTtl(ttl));
    return { svid: wireTokenSvid(svid) };
  },
});

/** Of what was signed, for the audit log. */
const signedFields = ({ id, leaf, expiresAt }: SignedX509): Record<string, unknown> => ({
  spiffe_id: id.toString(),
  serial_num: leaf.serialDecimal,
  expires_at: timeText(expiresAt),
});

const timeText = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

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
