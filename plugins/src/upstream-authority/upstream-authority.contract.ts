import { randomBytes } from 'node:crypto';
import {
  BundleSet,
  generateKey,
  localSigner,
  makeCsr,
  SpiffeId,
  spkiOf,
  TrustBundle,
  type TrustDomain,
  tokenAuthority,
  verifyX509Svid,
  X509Issuer,
} from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import type { UpstreamAuthority } from './upstream-authority.ts';

export interface UpstreamForTests {
  readonly upstream: UpstreamAuthority;
  readonly trustDomain: TrustDomain;
  /** Unix seconds. */
  readonly now: number;
  readonly publishes: boolean;
}

/** What every upstream authority must do. `open` makes a fresh one each time. */
export function upstreamAuthorityContract(open: () => Promise<UpstreamForTests>): void {
  const request = async ({ trustDomain }: UpstreamForTests, uri = trustDomain.id) => {
    const key = localSigner(generateKey('ec-p256'));
    return { key, csr: await makeCsr(key, { uri, subject: { organization: ['SPIFFE'], serialNumber: '7' } }) };
  };
  const never = new AbortController().signal;

  describe('an upstream authority', () => {
    it('signs a CA whose SVIDs verify under the roots that it names', async () => {
      const tested = await open();
      const { upstream, trustDomain, now } = tested;
      const { key, csr } = await request(tested);
      const { chain, roots } = await upstream.mintX509Ca(csr, 3600, never);
      const [certificate, ...above] = chain;
      if (!certificate) throw new Error('no certificate');
      expect(certificate).toMatchObject({ isCa: true, uriSans: [trustDomain.id] });
      // A real server has a clock of its own, which has gone on since.
      expect(certificate.notAfter).toBeLessThanOrEqual(now + 3600 + 30);
      const issuer = new X509Issuer(key, certificate, above);
      const id = SpiffeId.of(trustDomain, '/w');
      const leaf = await issuer.issueLeaf({
        id,
        spki: spkiOf(localSigner(generateKey('ec-p256')).publicKey),
        notBefore: now - 10,
        notAfter: now + 60,
        serial: randomBytes(16),
      });
      const bundles = BundleSet.of(TrustBundle.of(trustDomain, { x509Authorities: roots }));
      expect(verifyX509Svid([leaf, ...issuer.chain], bundles, { now }).id.equals(id)).toBe(true);
      await upstream.close();
    });

    it('signs for no other trust domain, and nothing that is no request', async () => {
      const tested = await open();
      const { csr } = await request(tested, 'spiffe://elsewhere.test');
      await expect(tested.upstream.mintX509Ca(csr, 3600, never)).rejects.toThrow();
      await expect(tested.upstream.mintX509Ca(Uint8Array.of(1, 2, 3), 3600, never)).rejects.toThrow();
      await tested.upstream.close();
    });

    it('publishes keys, or says that it has no place for them', async () => {
      const { upstream, publishes } = await open();
      for (const kind of ['jwt', 'wit'] as const) {
        const key = tokenAuthority(`${kind}-key`, localSigner(generateKey('ec-p256')).publicKey, {
          expiresAt: 2 ** 31,
        });
        if (!publishes) {
          await expect(upstream.publishKey(kind, key, never)).rejects.toMatchObject({ code: 'unimplemented' });
          continue;
        }
        await upstream.publishKey(kind, key, never);
        const known = await upstream.publishKey(kind, key, never);
        expect(known.filter(({ kid }) => kid === key.kid)).toHaveLength(1);
      }
      await upstream.close();
    });

    it('tells at once what it trusts, and ends when told to', async () => {
      const { upstream, publishes } = await open();
      const abort = new AbortController();
      const seen = [];
      for await (const trust of upstream.watch(abort.signal)) {
        seen.push(trust);
        abort.abort();
      }
      expect(seen).toHaveLength(1);
      expect(seen[0]?.x509.length).toBeGreaterThan(0);
      expect(seen[0]?.jwt !== undefined).toBe(publishes);
      await upstream.close();
    });
  });
}
