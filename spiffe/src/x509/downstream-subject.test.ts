import { expect, it } from 'vitest';
import { readSingle } from '../der/reader.ts';
import { TAG } from '../der/tags.ts';
import { downstreamSubject } from './downstream-subject.ts';
import { encodeName, nameText, readName } from './name.ts';

const textOf = (name: Uint8Array) => nameText(readName(readSingle(name, TAG.sequence)));

it('is the name of the CA above with a unit and a serial number of its own, at any depth', () => {
  const root = encodeName({ country: ['US'], organization: ['SPIFFE'], commonName: 'r', serialNumber: '1' });
  const first = downstreamSubject(root, 'DOWNSTREAM-1', '22');
  expect(textOf(first)).toBe('C=US,O=SPIFFE,CN=r,OU=DOWNSTREAM-1,serialNumber=22');
  expect(textOf(downstreamSubject(first, 'DOWNSTREAM-2', '333'))).toBe(
    'C=US,O=SPIFFE,CN=r,OU=DOWNSTREAM-2,serialNumber=333',
  );
  expect(textOf(downstreamSubject(encodeName({}), 'D', '4'))).toBe('OU=D,serialNumber=4');
});

it('refuses what is no name', () => {
  expect(() => downstreamSubject(Uint8Array.of(0x30, 2, 5, 0), 'D', '4')).toThrow(/malformed DER/);
});
