import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BundleSet } from '../bundle/bundle-set.ts';
import { TrustBundle } from '../bundle/trust-bundle.ts';
import { NULL } from '../der/writer.ts';
import { SpiffeError } from '../errors.ts';
import { TrustDomain } from '../id/trust-domain.ts';
import { errorOf } from '../testing/error-of.ts';
import {
  bits,
  CA,
  caWithPathLength,
  dnsName,
  extension,
  type Forger,
  type Forgery,
  forge,
  forgeCa,
  NOW,
} from '../testing/forge-certificate.ts';
import { TEST_KEYS } from '../testing/test-keys.ts';
import {
  bundle,
  bundles,
  ecdsa,
  intermediate,
  leaf,
  pathLength,
  refusal,
  rootA,
  rootB,
  verify,
} from '../testing/x509-world.ts';
import { Certificate } from '../x509/certificate.ts';
import { verifyX509Svid } from './verify-x509-svid.ts';

describe('accepts', () => {
  it.each<[string, readonly Forger[]]>([
    ['a leaf directly below the root', [leaf()]],
    ['a leaf below an intermediate', [leaf({ by: intermediate }), intermediate]],
    ['intermediates in any order, with strangers and the root among them', threeLevels()],
    ['other kinds of names (X509-04)', [leaf({ names: [dnsName('a.test'), dnsName('b.test')] })]],
    ['foreign key usages (X509-22)', [leaf({ keyUsage: bits(3, 0xa8) })]],
    ['no basic constraints', [leaf({ basicConstraints: undefined })]],
    ['an RSA key', [leaf({ key: TEST_KEYS.rsa.privateKey })]],
    ['an Ed25519 key', [leaf({ key: TEST_KEYS.ed25519.privateKey })]],
    ['a self-issued intermediate that does not count for the path length', selfIssued()],
    ['a path length that is just kept', pathLength(1)],
  ])('%s', (_, chain) => {
    const verified = verify(chain);
    expect(verified.id.toString()).toBe('spiffe://a.test/x');
    expect(verified.chain.at(0)).toBe(chain[0]?.certificate);
    expect(verified.chain.at(-1)).toBe(rootA.certificate);
  });

  it('both ends of the validity, and not a second more', () => {
    const one = [leaf({ notBefore: NOW - 10, notAfter: NOW + 10 })];
    expect([verify(one, NOW - 10), verify(one, NOW + 10)]).toHaveLength(2);
    expect(refusal(one, NOW - 10.001)).toBe('not-yet-valid X509-28');
    expect(refusal(one, NOW + 10.001)).toBe('expired X509-28');
    expect(refusal(one, Number.NaN)).toBe('not-yet-valid X509-28');
  });

  it('the root that a cross-signed authority leads to', () => {
    const crossed = forgeCa('intermediate', { by: rootB, key: intermediate.key });
    const chain = [leaf({ by: intermediate }), crossed, intermediate];
    expect(verify(chain).chain.map(({ subjectText }) => subjectText)).toEqual([
      'CN=leaf',
      'CN=intermediate',
      'CN=root a',
    ]);
  });

  it('a foreign root whose own ID ends in a slash (A2), or has none at all', () => {
    for (const uris of [['spiffe://a.test/'], []]) {
      const root = forgeCa('old root', { uris });
      expect(verify([leaf({ by: root })], NOW, BundleSet.of(bundle('a.test', root))).chain).toHaveLength(2);
    }
  });

  it('a tainted root, unless told otherwise', () => {
    const tainted = BundleSet.of(
      TrustBundle.of(TrustDomain.parse('a.test'), {
        x509Authorities: [{ certificate: rootA.certificate, tainted: true }],
      }),
    );
    const chain = [leaf().certificate];
    expect(verifyX509Svid(chain, tainted, { now: NOW }).chain).toHaveLength(2);
    expect(errorOf(() => verifyX509Svid(chain, tainted, { now: NOW, refuseTainted: true })).rule).toBe('X509-40');
  });
});

describe('refuses the leaf', () => {
  it.each<[string, string, Forgery]>([
    ['invalid-svid X509-02', 'two SPIFFE IDs', { uris: ['spiffe://a.test/x', 'spiffe://a.test/y'] }],
    ['invalid-svid X509-02', 'the same ID twice', { uris: ['spiffe://a.test/x', 'spiffe://a.test/x'] }],
    ['invalid-svid X509-02', 'a second URI that is no SPIFFE ID', { uris: ['spiffe://a.test/x', 'https://b.test'] }],
    ['invalid-svid X509-03', 'no URI', { uris: [] }],
    ['invalid-svid X509-03', 'only a DNS name', { uris: [], names: [dnsName('a.test')] }],
    ['invalid-svid X509-03', 'the ID as common name', { uris: [], subject: 'spiffe://a.test/x' }],
    ['invalid-svid X509-03', 'the ID within a DNS name', { uris: [], names: [dnsName('x, URI:spiffe://a.test/x')] }],
    ['invalid-svid X509-29', 'a CA', { basicConstraints: CA }],
    ['invalid-svid X509-29', 'a CA with digitalSignature', { basicConstraints: CA, keyUsage: bits(2, 0x84) }],
    ['invalid-svid X509-30', 'keyCertSign', { keyUsage: bits(2, 0x84) }],
    ['invalid-svid X509-30', 'cRLSign', { keyUsage: bits(1, 0x82) }],
    ['invalid-svid X509-31', 'another scheme', { uris: ['sparfe://a.test/x'] }],
    ['invalid-svid X509-31', 'https', { uris: ['https://a.test/x'] }],
    ['invalid-svid X509-31', 'a URN', { uris: ['urn:uuid:00000000-0000-0000-0000-000000000000'] }],
    ['invalid-svid X509-31', 'an upper-case scheme', { uris: ['SPIFFE://a.test/x'] }],
    ['invalid-svid X509-31', 'an empty fragment', { uris: ['spiffe://a.test/x#'] }],
    ['invalid-svid X509-31', 'a trailing slash', { uris: ['spiffe://a.test/'] }],
    ['invalid-svid X509-32', 'no path', { uris: ['spiffe://a.test'] }],
    ['invalid-svid X509-H1', 'no key usage', { keyUsage: undefined }],
    ['invalid-svid X509-H1', 'key usage that is not critical', { keyUsageCritical: false }],
    ['invalid-svid X509-H1', 'no digitalSignature', { keyUsage: bits(5, 0x20) }],
    ['no-bundle ID-28', 'of an unknown trust domain', { uris: ['spiffe://c.test/x'] }],
    ['untrusted X509-40', 'of a trust domain without authorities', { uris: ['spiffe://empty.test/x'] }],
    ['untrusted X509-28', 'signed by the authority of another trust domain (ID-28)', { uris: ['spiffe://b.test/x'] }],
    ['untrusted X509-28', 'with an unknown critical extension', { more: [extension('1.2.3.4', true, NULL)] }],
    ['untrusted X509-28', 'with another issuer name', { issuerName: rootB.certificate.subject }],
    ['untrusted X509-28', 'signed with another key', { by: { certificate: rootA.certificate, key: rootB.key } }],
    ['untrusted X509-28', 'signed with SHA-1', { signature: ecdsa('1', 'sha1') }],
    ['untrusted X509-28', 'with a digest that is not the one it names', { signature: ecdsa('3.4', 'sha256') }],
    ['expired X509-28', 'expired', { notAfter: NOW - 1 }],
    ['not-yet-valid X509-28', 'not yet valid', { notBefore: NOW + 1 }],
  ])('%s: %s', (expected, _, forgery) => {
    expect(refusal([leaf(forgery)])).toBe(expected);
  });

  it('that is self-signed, in the bundle or not', () => {
    const lone = forge();
    expect(refusal([lone])).toBe('untrusted X509-28');
    expect(refusal([lone], NOW, BundleSet.of(bundle('a.test', lone)))).toBe('untrusted X509-28');
  });

  it('that is an authority, also in front of a good leaf, and an empty or endless chain', () => {
    expect(refusal([rootA])).toBe('invalid-svid X509-32');
    expect(refusal([intermediate, leaf({ by: intermediate })])).toBe('invalid-svid X509-32');
    expect(refusal([])).toBe('invalid-svid X509-28');
    expect(refusal([leaf(), ...Array<Forger>(10).fill(intermediate)])).toBe('invalid-svid X509-28');
  });

  it('for a single purpose, only if asked (X509-26)', () => {
    const { certificate } = leaf({ purposes: ['1.3.6.1.5.5.7.3.1'] });
    expect(verifyX509Svid([certificate], bundles, { now: NOW }).id.path).toBe('/x');
    const strict = { now: NOW, requireBothPurposes: true };
    expect(errorOf(() => verifyX509Svid([certificate], bundles, strict)).rule).toBe('X509-26');
    expect(verifyX509Svid([leaf().certificate], bundles, strict).id.path).toBe('/x');
  });

  it('when a source hands out the bundle of another trust domain', () => {
    const wrong = { bundleFor: () => bundle('b.test', rootA) };
    expect(errorOf(() => verifyX509Svid([leaf().certificate], wrong, { now: NOW })).code).toBe('no-bundle');
  });

  it('with any byte changed (ID-25)', () => {
    const { raw } = leaf().certificate;
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const changed = Uint8Array.from(raw, (octet, at) => (at === index ? octet ^ flip : octet));
        try {
          verifyX509Svid([Certificate.parse(changed)], bundles, { now: NOW });
        } catch (error) {
          expect(error).toBeInstanceOf(SpiffeError);
          return;
        }
        throw new Error(`byte ${index} may be changed`);
      }),
      { numRuns: 500 },
    );
  });
});

function threeLevels(): Forger[] {
  const lower = forgeCa('lower', { by: intermediate });
  return [leaf({ by: lower }), rootA, rootB, intermediate, lower];
}

function selfIssued(): Forger[] {
  const old = forgeCa('ca', { by: rootA, basicConstraints: caWithPathLength(0) });
  const renewed = forgeCa('ca', { by: old });
  return [leaf({ by: renewed }), renewed, old];
}
