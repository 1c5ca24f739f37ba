import { create, fromBinary } from '@bufbuild/protobuf';
import type { RegistrationEntry } from '@steeple/core';
import { entryV1, types } from '@steeple/proto/server-api';
import { SpiffeId } from '@steeple/spiffe';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodedEntries } from './encoded-entries.ts';
import { wireEntry } from './entry.ts';

const { GetAuthorizedEntriesResponseSchema } = entryV1;
const entry = (id: string, more: Partial<RegistrationEntry> = {}): RegistrationEntry => ({
  id,
  spiffeId: SpiffeId.parse(`spiffe://example.org/${id}`),
  parentId: SpiffeId.parse('spiffe://example.org/spire/agent/a'),
  selectors: [{ type: 'unix', value: 'uid:1' }],
  x509SvidTtl: 60,
  jwtSvidTtl: 0,
  federatesWith: ['other.org'],
  admin: true,
  downstream: false,
  expiresAt: 4_000_000_000,
  dnsNames: ['b.example.org', 'a.example.org'],
  revision: 3,
  storeSvid: false,
  hint: 'a hint',
  createdAt: 1_700_000_000,
  disableX509SvidPrefetch: false,
  jwtSvidIncludeJti: true,
  ...more,
});

/** What a client reads, and what it would read if nothing were kept. */
const check = (entries: readonly RegistrationEntry[], mask?: types.EntryMask): void => {
  const plain = create(GetAuthorizedEntriesResponseSchema, { entries: entries.map((one) => wireEntry(one, mask)) });
  expect(fromBinary(GetAuthorizedEntriesResponseSchema, encodedEntries(entries, mask).bytes)).toEqual(plain);
};

it('says what encoding the messages would, mask after mask, in any order', () => {
  const entries = [entry('a'), entry('b', { dnsNames: [] }), entry('c'.repeat(300))];
  const names = types.EntryMaskSchema.fields.map(({ localName }) => localName);
  fc.assert(
    fc.property(fc.array(fc.option(fc.subarray(names), { nil: undefined }), { maxLength: 6 }), (masks) => {
      for (const fields of masks) {
        const mask = fields && create(types.EntryMaskSchema, Object.fromEntries(fields.map((name) => [name, true])));
        check(entries, mask);
      }
    }),
  );
});

it('tells a changed entry, and none', () => {
  const before = entry('a');
  check([before]);
  check([{ ...before, revision: 4, hint: 'another' }]);
  check([before]);
  check([]);
});
