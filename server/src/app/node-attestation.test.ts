import { agentId } from '@steeple/core';
import { silentLogger } from '@steeple/daemon';
import { loadPlugin, type NodeVerifier } from '@steeple/plugins';
import { generateKey, localSigner, makeCsr, TrustDomain } from '@steeple/spiffe';
import { expect, it } from 'vitest';
import type { CertificateAuthority } from './certificate-authority.ts';
import { NodeAttestation } from './node-attestation.ts';

const HOME = TrustDomain.parse('home.test');
const node = agentId(HOME, 'first_use', 'node');
const channel = { send: async () => undefined, receive: async () => new Uint8Array() };
const { signal } = new AbortController();

it('trusts on first use: a second attestation is refused, at the same time or later, until the agent is evicted', async () => {
  const memory = await loadPlugin('datastore', 'memory');
  await using store = await memory.create(
    {},
    { logger: silentLogger, clock: { now: () => 0 } as never, trustDomain: HOME },
  );
  const verifier: NodeVerifier = {
    type: 'first_use',
    verify: async () => ({ agentId: node, selectors: [], canReattest: false }),
  };
  let signed = 0;
  const ca = {
    signX509: async () => {
      signed += 1;
      return { leaf: { serialDecimal: String(signed) }, expiresAt: 9 };
    },
  } as unknown as CertificateAuthority;
  const attestation = new NodeAttestation(HOME, [verifier], store.agents, ca, {
    agentTtl: 9,
    agentIdAsSelector: false,
  });
  const csr = await makeCsr(localSigner(generateKey('ec-p256')), {});
  const attest = () => attestation.attest({ type: 'first_use', payload: Uint8Array.of(1), csr }, channel, signal);
  const tries = await Promise.allSettled([attest(), attest(), attest()]);
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const before = signed;
  const used = { code: 'permission-denied', message: 'attestation data has already been used to attest an agent' };
  await expect(attest()).rejects.toMatchObject(used);
  expect(signed).toBe(before);
  await store.agents.delete(node);
  expect((await attest()).reattestable).toBe(false);
});
