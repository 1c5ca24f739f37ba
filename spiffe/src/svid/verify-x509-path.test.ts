import { describe, expect, it } from 'vitest';
import { BundleSet } from '../bundle/bundle-set.ts';
import { NULL, sequence } from '../der/writer.ts';
import { SpiffeId } from '../id/spiffe-id.ts';
import { TrustDomain } from '../id/trust-domain.ts';
import { KEY_TYPES } from '../keys/key-type.ts';
import { generateKey } from '../keys/private-key.ts';
import { localSigner } from '../keys/signer.ts';
import { spkiOf } from '../keys/spki.ts';
import { errorOf } from '../testing/error-of.ts';
import {
  bits,
  dnsName,
  extension,
  type Forger,
  type Forgery,
  forge,
  forgeCa,
  NOW,
  nameConstraints,
  uriName,
} from '../testing/forge-certificate.ts';
import { TEST_KEYS } from '../testing/test-keys.ts';
import { bundle, ecdsa, intermediate, leaf, pathLength, refusal, rootA, rootB, verify } from '../testing/x509-world.ts';
import { X509Issuer } from '../x509/issue.ts';
import { selfSignedCa } from '../x509/self-signed-ca.ts';
import { verifyX509Svid } from './verify-x509-svid.ts';

const rsaName = { hash: 'sha256', algorithm: KEY_TYPES['rsa-2048'].signatureAlgorithm };

describe('refuses the path', () => {
  const below = (forgery: Forgery, leafForgery: Forgery = {}): Forger[] => {
    const middle = forgeCa('middle', { by: rootA, ...forgery });
    return [leaf({ by: middle, ...leafForgery }), middle];
  };
  it.each<[string, string, readonly Forger[]]>([
    ['untrusted X509-28', 'without its intermediate', [leaf({ by: intermediate })]],
    ['untrusted X509-28', 'through a leaf', below({ basicConstraints: sequence() })],
    ['untrusted X509-28', 'through a certificate without basic constraints', below({ basicConstraints: undefined })],
    ['untrusted X509-28', 'through a CA without keyCertSign', below({ keyUsage: bits(1, 0x02) })],
    ['expired X509-28', 'through an expired CA', below({ notAfter: NOW - 1 })],
    ['not-yet-valid X509-28', 'through a CA of the future', below({ notBefore: NOW + 1 })],
    ['untrusted X509-28', 'through an unknown critical extension', below({ more: [extension('1.2.3', true, NULL)] })],
    ['untrusted X509-28', 'through a weak signature', below({ signature: ecdsa('1', 'sha1') })],
    ['untrusted X509-28', 'through a signature named after another kind of key', below({ signature: rsaName })],
    ['untrusted X509-28', 'through a CA that the root did not sign', below({ by: { ...rootA, key: rootB.key } })],
    ['untrusted X509-28', 'through a CA with a weak key', belowWeakKey()],
    ['untrusted X509-13', 'longer than an authority allows', pathLength(0)],
    ['untrusted X509-09', 'through a CA whose ID has a path', below({ uris: ['spiffe://a.test/ca'] })],
    ['untrusted X509-09', 'through a CA whose ID ends in a slash', below({ uris: ['spiffe://a.test/'] })],
    ['untrusted X509-02', 'through a CA with two URIs', below({ uris: ['spiffe://a.test', 'spiffe://b.test'] })],
    [
      'untrusted X509-28',
      'to a root that only the peer brought',
      [leaf({ by: forgeCa('own root') }), forgeCa('own root')],
    ],
    ['untrusted X509-28', 'through the root of another trust domain', throughB()],
  ])('%s: %s', (expected, _, chain) => {
    expect(refusal(chain)).toBe(expected);
  });

  it('to an expired root, or one without keyCertSign', () => {
    for (const [forgery, expected] of [
      [{ notAfter: NOW - 1 }, 'expired X509-28'],
      [{ keyUsage: bits(1, 0x02) }, 'untrusted X509-28'],
    ] as const) {
      const root = forgeCa('root', forgery);
      expect(refusal([leaf({ by: root })], NOW, BundleSet.of(bundle('a.test', root)))).toBe(expected);
    }
  });

  it('without going in circles', () => {
    const key = generateKey('ec-p256');
    const twins = [forgeCa('twin', { key }), forgeCa('twin', { key, uris: ['spiffe://a.test'] })];
    const [twin = rootA] = twins;
    const chain = [leaf({ by: twin }), ...twins].map(({ certificate }) => certificate);
    const { message } = errorOf(() => verifyX509Svid(chain, BundleSet.of(bundle('a.test', rootA)), { now: NOW }));
    expect(message).toContain('no path to an authority');
  });

  it('after a bounded number of attempts, but key identifiers lead to the right root', async () => {
    const key = generateKey('ec-p256');
    const crowd = Array.from({ length: 100 }, () => forgeCa('root', { key }));
    const signer = localSigner(generateKey('ec-p256'));
    const serial = new Uint8Array(16).fill(1);
    const validity = { notBefore: NOW - 10, notAfter: NOW + 10, serial };
    const trustDomain = TrustDomain.parse('a.test');
    const root = await selfSignedCa(signer, { trustDomain, subject: { commonName: 'root' }, ...validity });
    const spki = spkiOf(key);
    const request = { id: SpiffeId.parse('spiffe://a.test/x'), spki, ...validity };
    const svid = await new X509Issuer(signer, root).issueLeaf(request);
    const crowded = BundleSet.of(bundle('a.test', ...crowd, { certificate: root, key }));
    expect(verifyX509Svid([svid], crowded, { now: NOW }).chain).toEqual([svid, root]);

    const lost = forge({ by: forgeCa('root') });
    const { message } = errorOf(() => verifyX509Svid([lost.certificate], crowded, { now: NOW }));
    expect(message).toContain('too many signatures');
  });
});

describe('name constraints (X509-16)', () => {
  const under = (constraints: Uint8Array, forgery: Forgery = {}): Forger[] => {
    const middle = forgeCa('middle', { by: rootA, more: [constraints] });
    return [leaf({ by: middle, ...forgery }), middle];
  };
  const email = Uint8Array.of(0x81, 0);
  const directory = Uint8Array.of(0xa4, 2, 0x30, 0);
  it.each<[boolean, string, readonly Forger[]]>([
    [true, 'the same host', under(nameConstraints([uriName('a.test')]))],
    [true, 'one of two hosts', under(nameConstraints([uriName('b.test'), uriName('a.test')]))],
    [true, 'the same host in upper case', under(nameConstraints([uriName('A.TEST')]))],
    [false, 'another host', under(nameConstraints([uriName('b.test')]))],
    [false, 'a host above', under(nameConstraints([uriName('test')]))],
    [true, 'below a dot', under(nameConstraints([uriName('.test')]))],
    [false, 'a dot and the host itself', under(nameConstraints([uriName('.a.test')]))],
    [false, 'an excluded host', under(nameConstraints([], [uriName('a.test')]))],
    [true, 'another excluded host', under(nameConstraints([], [uriName('b.test')]))],
    [false, 'permitted and excluded', under(nameConstraints([uriName('a.test')], [uriName('a.test')]))],
    [true, 'DNS names below', under(nameConstraints([dnsName('a.test')]), { names: [dnsName('x.a.test')] })],
    [false, 'a DNS name beside', under(nameConstraints([dnsName('a.test')]), { names: [dnsName('xa.test')] })],
    [true, 'DNS constraints, no DNS names', under(nameConstraints([dnsName('a.test')]))],
    [true, 'a kind we cannot compare, absent', under(nameConstraints([email]))],
    [
      false,
      'a kind we cannot compare, present',
      under(nameConstraints([email]), { names: [Uint8Array.of(0x81, 1, 97)] }),
    ],
    [false, 'a constrained subject', under(nameConstraints([directory]))],
    [
      false,
      'for a leaf of the same name as its issuer',
      under(nameConstraints([uriName('b.test')]), { subject: 'middle' }),
    ],
    [false, 'a dot and a host of the same text', dotHost()],
    [false, 'two levels down', twoLevels('b.test')],
    [true, 'two levels down, allowed', twoLevels('a.test')],
  ])('%s: %s', (accepted, _, chain) => {
    const outcome = accepted ? () => verify(chain).id.path : () => refusal(chain);
    expect(outcome()).toBe(accepted ? '/x' : 'untrusted X509-16');
  });

  /** A trust domain may begin with a dot, and then is not below itself. */
  function dotHost(): Forger[] {
    const uris = ['spiffe://.a.test/x'];
    return under(nameConstraints([uriName('.a.test')]), { uris });
  }

  function twoLevels(host: string): Forger[] {
    const upper = forgeCa('upper', { by: rootA, more: [nameConstraints([uriName(host)])] });
    const lower = forgeCa('lower', { by: upper });
    return [leaf({ by: lower }), lower, upper];
  }
});

function belowWeakKey(): Forger[] {
  const key = TEST_KEYS.secp256k1.privateKey;
  const weak = forgeCa('weak', { by: rootA, key });
  return [forge({ by: weak, signature: ecdsa('3.2', 'sha256') }), weak];
}

/** B's root, in the peer's hands, is only one more stranger below nothing. */
function throughB(): Forger[] {
  return [leaf({ by: rootB }), rootB];
}
