import { describe, expect, it } from 'vitest';
import { BundleSet } from '../bundle/bundle-set.ts';
import { octetString } from '../der/writer.ts';
import { extension, forgeCa, NOW } from '../testing/forge-certificate.ts';
import { type ForgedCrl, forgeCrl } from '../testing/forge-crl.ts';
import { bundle, intermediate, leaf, refusal, rootA, rootB, verify } from '../testing/x509-world.ts';
import { RevocationList } from '../x509/revocation-list.ts';

const SERIAL = leaf().certificate.serialHex;
const OTHER = '7777';

function trusting(...crls: readonly ForgedCrl[]): BundleSet {
  const bundles = BundleSet.of(bundle('a.test', rootA, keyed), bundle('b.test', rootB));
  bundles.setRevocationLists(crls.map((crl) => RevocationList.parse(forgeCrl(crl))));
  return bundles;
}

/** An authority that says which key it has. */
const keyed = forgeCa('keyed', {
  uris: ['spiffe://a.test'],
  more: [extension('2.5.29.14', false, octetString(Uint8Array.of(1, 2)))],
});

describe('a certificate on a list of its issuer', () => {
  it('is refused, and no other is', () => {
    const chain = [leaf()];
    expect(refusal(chain, NOW, trusting({ by: rootA, serials: [SERIAL] }))).toBe('revoked WAPI-H3');
    expect(verify(chain, NOW, trusting({ by: rootA, serials: [OTHER] })).id.path).toBe('/x');
    expect(verify(chain, NOW, trusting({ by: rootB, serials: [SERIAL] })).id.path).toBe('/x');
  });

  it('is refused in the middle of a chain too', () => {
    const chain = [leaf({ by: intermediate }), intermediate];
    expect(refusal(chain, NOW, trusting({ by: rootA, serials: [SERIAL] }))).toBe('revoked WAPI-H3');
    expect(refusal(chain, NOW, trusting({ by: intermediate, serials: [SERIAL] }))).toBe('revoked WAPI-H3');
  });

  it('is refused although the list is out of date', () => {
    const old = { by: rootA, nextUpdate: NOW - 1 };
    expect(refusal([leaf()], NOW, trusting({ ...old, serials: [SERIAL] }))).toBe('revoked WAPI-H3');
  });

  it('is judged by the newest list of a scope', () => {
    const older = { by: rootA, thisUpdate: NOW - 500, serials: [SERIAL] };
    const newer = { by: rootA, thisUpdate: NOW - 5 };
    expect(verify([leaf()], NOW, trusting(older, newer)).id.path).toBe('/x');
    expect(verify([leaf()], NOW, trusting(newer, older)).id.path).toBe('/x');
    const users = extension('2.5.29.28', true, Uint8Array.of(0x30, 3, 0x81, 1, 0xff));
    expect(refusal([leaf()], NOW, trusting({ ...older, extensions: [users] }, newer))).toBe('revoked WAPI-H3');
  });
});

describe('a list that cannot be relied on', () => {
  it('has every certificate of its issuer refused once it is out of date', () => {
    const bundles = trusting({ by: rootA, nextUpdate: NOW + 10 });
    expect(verify([leaf()], NOW + 10, bundles).id.path).toBe('/x');
    expect(refusal([leaf()], NOW + 11, bundles)).toBe('untrusted WAPI-H3');
    expect(verify([leaf({ by: rootB, uris: ['spiffe://b.test/x'] })], NOW + 11, bundles).id.path).toBe('/x');
  });

  it('has them refused when it names the key of the issuer and that did not sign it', () => {
    const chain = [leaf({ by: keyed })];
    expect(refusal(chain, NOW, trusting({ by: keyed, keyId: '0102', signWith: rootB }))).toBe('untrusted WAPI-H3');
    expect(verify(chain, NOW, trusting({ by: keyed, keyId: '0102' })).id.path).toBe('/x');
  });

  it('is that of another authority of the same name when it names no key, or another', () => {
    const forged = { by: keyed, serials: [SERIAL], signWith: rootB };
    expect(verify([leaf({ by: keyed })], NOW, trusting(forged)).id.path).toBe('/x');
    expect(verify([leaf({ by: keyed })], NOW, trusting({ ...forged, keyId: '0909' })).id.path).toBe('/x');
  });
});
