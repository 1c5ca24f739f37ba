// The JSON file of `entry create -data` and `entry update -data`: entries in the form of spire.common.
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { common } from '@steeple/proto/server-api';
import { explainNow } from '../command-error.ts';
import type { CompatIo } from '../io.ts';
import { readInput, readJson } from '../read-input.ts';
import { readDomain, readId } from '../spiffe-id.ts';
import type { EntryInit } from './entry-flags.ts';

/** The entries of a file; what it says beside what is known is passed over. @throws {CommandError} */
export async function readEntryFile(path: string, io: CompatIo): Promise<EntryInit[]> {
  const json = readJson(await readInput(path, io)) as JsonValue;
  return parsed(json ?? {}).entries.map(entryOf);
}

const parsed = (json: JsonValue): common.RegistrationEntries =>
  explainNow('json', () => fromJson(common.RegistrationEntriesSchema, json, { ignoreUnknownFields: true }));

const entryOf = (entry: common.RegistrationEntry): EntryInit => {
  const attributes = entry.additionalAttributes;
  return {
    id: entry.entryId,
    spiffeId: explainNow('invalid SPIFFE ID', () => readId(entry.spiffeId)),
    parentId: explainNow('invalid parent ID', () => readId(entry.parentId)),
    selectors: entry.selectors.map(({ type, value }) => ({ type, value })),
    x509SvidTtl: entry.x509SvidTtl,
    jwtSvidTtl: entry.jwtSvidTtl,
    federatesWith: entry.federatesWith.map((domain) =>
      explainNow('invalid federated trust domain', () => readDomain(domain)),
    ),
    admin: entry.admin,
    downstream: entry.downstream,
    expiresAt: entry.entryExpiry,
    dnsNames: entry.dnsNames,
    revisionNumber: entry.revisionNumber,
    storeSvid: entry.storeSvid,
    hint: entry.hint,
    createdAt: entry.createdAt,
    ...(attributes && {
      additionalAttributes: {
        disableX509SvidPrefetch: attributes.disableX509SvidPrefetch,
        jwtSvidIncludeJti: attributes.jwtSvidIncludeJti,
      },
    }),
  };
};
