import { createPublicKey, webcrypto } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeTime } from '../der/time.ts';
import { sequence, smallInteger, TRUE } from '../der/writer.ts';
import { errorOf } from '../testing/error-of.ts';
import { bits, extension, forgeCa } from '../testing/forge-certificate.ts';
import { forgeCrl } from '../testing/forge-crl.ts';
import { leaf, rootA, rootB } from '../testing/x509-world.ts';
import { x509Library } from './library.ts';
import { RevocationList } from './revocation-list.ts';

const { certificate } = leaf();
const listing = { by: rootA, serials: ['01', certificate.serialHex] };

describe('RevocationList', () => {
  it('reads what an independent library reads', async () => {
    const der = forgeCrl(listing);
    const { X509Crl } = await x509Library();
    const other = new X509Crl(new Uint8Array(der));
    const spki = new Uint8Array(createPublicKey(rootA.key).export({ type: 'spki', format: 'der' }));
    const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };
    const publicKey = await webcrypto.subtle.importKey('spki', spki, ecdsa, true, ['verify']);
    expect(await other.verify({ publicKey })).toBe(true);

    const list = RevocationList.parse(der);
    expect(other.entries.map(({ serialNumber }) => serialNumber)).toContain(certificate.serialHex);
    expect([list.size, list.revokes(certificate)]).toEqual([2, true]);
    expect([list.thisUpdate, list.nextUpdate]).toEqual(
      [other.thisUpdate, other.nextUpdate].map((d) => (d ? +d / 1000 : 0)),
    );
    expect([list.isSignedBy(rootA.certificate), list.isSignedBy(rootB.certificate)]).toEqual([true, false]);
  });

  it('reads an empty list, and one without a next update', () => {
    const list = RevocationList.parse(forgeCrl({ by: rootA, nextUpdate: undefined }));
    expect([list.size, list.nextUpdate, list.scope, list.authorityKeyId]).toEqual([0, undefined, '', undefined]);
    expect(list.revokes(certificate)).toBe(false);
  });

  it('is about an authority of the same name, and key identifier where both have one', () => {
    const twin = forgeCa('root a');
    const list = RevocationList.parse(forgeCrl(listing));
    expect([rootA, rootB, twin].map((authority) => list.names(authority.certificate))).toEqual([true, false, true]);
    expect(list.isSignedBy(twin.certificate)).toBe(false);
  });

  it.each([
    ['a delta', { extensions: [extension('2.5.29.27', true, Uint8Array.of(2, 1, 1))] }],
    ['an indirect list', { extensions: [extension('2.5.29.28', true, Uint8Array.of(0x30, 3, 0x84, 1, 0xff))] }],
    ['an unknown critical extension', { extensions: [extension('1.2.3', true, TRUE)] }],
    ['an entry of another issuer', { entryExtensions: [extension('2.5.29.29', true, TRUE)] }],
  ])('refuses %s', (_, forgery) => {
    expect(errorOf(() => RevocationList.parse(forgeCrl({ ...listing, ...forgery }))).code).toBe('invalid-crl');
  });

  it('keeps the scope of a partial list, and passes over what is not critical', () => {
    const partial = extension('2.5.29.28', true, Uint8Array.of(0x30, 3, 0x81, 1, 0xff));
    const harmless = [partial, extension('2.5.29.20', false, Uint8Array.of(2, 1, 7))];
    const entryExtensions = [extension('2.5.29.21', false, Uint8Array.of(10, 1, 1))];
    const list = RevocationList.parse(forgeCrl({ ...listing, extensions: harmless, entryExtensions }));
    expect([list.scope, list.size]).toEqual(['8101ff', 2]);
  });

  it('refuses what is cut short, followed by something or another document', () => {
    const der = forgeCrl(listing);
    for (let end = 0; end < der.length; end++) {
      expect(errorOf(() => RevocationList.parse(der.subarray(0, end))).code).toBe('malformed-der');
    }
    expect(errorOf(() => RevocationList.parse(Uint8Array.of(...der, 0))).code).toBe('malformed-der');
    expect(errorOf(() => RevocationList.parse(rootA.certificate.raw)).code).toBe('malformed-der');
    const name = sequence();
    const nameless = sequence(
      sequence(smallInteger(1), name, rootA.certificate.subject, encodeTime(0)),
      name,
      bits(0, 0),
    );
    expect(errorOf(() => RevocationList.parse(nameless)).code).toBe('malformed-der');
  });
});
