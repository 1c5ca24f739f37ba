import { setImmediate } from 'node:timers/promises';
import { IssuerError } from '@steeple/core';
import type { CallContext, Handlers } from '@steeple/proto/grpc';
import type { entryV1, types } from '@steeple/proto/server-api';
import type { TrustDomain } from '@steeple/spiffe';
import type { AuthorizedEntries } from '../app/authorized-entries.ts';
import type { Created, Entries } from '../app/entries.ts';
import { auditItem } from './audit.ts';
import { entryFields, entryFilterFields } from './audit-fields.ts';
import { attempt } from './batch.ts';
import { agentOf } from './caller.ts';
import { type ItemStatus, itemStatus } from './status.ts';
import { syncAuthorizedEntries } from './sync-authorized-entries.ts';
import { encodedEntries } from './translate/encoded-entries.ts';
import {
  mergeEntry,
  readEntry,
  readEntryFilter,
  type WireEntry,
  wireEntry,
  wireStoredEntry,
} from './translate/entry.ts';
import { readPage } from './translate/page.ts';

/** Entries of a batch that are written before others get their turn. */
const TURN = 250;

/** spire.api.server.entry.v1.Entry */
export const entryHandlers = (use: {
  trustDomain: TrustDomain;
  entries: Entries;
  authorized: AuthorizedEntries;
}): Handlers<typeof entryV1.Entry> => ({
  async countEntries({ filter }, ctx) {
    auditItem(ctx, () => entryFilterFields(filter));
    return { count: await use.entries.count(readEntryFilter(filter, use.trustDomain)) };
  },

  async listEntries(request, ctx) {
    auditItem(ctx, () => entryFilterFields(request.filter));
    const { items, nextToken } = await use.entries.list(
      readEntryFilter(request.filter, use.trustDomain),
      readPage(request),
    );
    return { entries: items.map((entry) => wireEntry(entry, request.outputMask)), nextPageToken: nextToken };
  },

  async getEntry({ id, outputMask }, ctx) {
    auditItem(ctx, { ...(id !== '' && { entry_id: id }) });
    return wireEntry(await use.entries.get(id), outputMask);
  },

  async batchCreateEntry(request, ctx) {
    const results: CreatedResult[] = [];
    for (let start = 0; start < request.entries.length; start += TURN) {
      if (start > 0) await setImmediate();
      const portion = request.entries.slice(start, start + TURN);
      results.push(...(await createPortion(use, portion, request.outputMask, ctx)));
    }
    return { results };
  },

  async batchUpdateEntry(request, ctx) {
    const results = [];
    for (const wire of request.entries) {
      const { status, value } = await attempt(ctx, () =>
        use.entries.update(wire.id, (old) => mergeEntry(old, wire, request.inputMask, use.trustDomain)),
      );
      auditItem(ctx, () => entryFields(wire, request.inputMask), status);
      results.push({ status, ...(value && { entry: wireStoredEntry(value, request.outputMask) }) });
    }
    return { results };
  },

  async batchDeleteEntry({ ids }, ctx) {
    const there = (await use.entries.delete(ids.filter((id) => id !== ''))).values();
    const results = await Promise.all(
      ids.map(async (id) => {
        const { status } = await attempt(ctx, () => {
          if (id === '') throw new IssuerError('invalid-argument', 'missing entry ID');
          if (!there.next().value) throw new IssuerError('not-found', 'entry not found');
        });
        return { id, status };
      }),
    );
    for (const { id, status } of results) auditItem(ctx, { entry_id: id }, status);
    return { results };
  },

  async getAuthorizedEntries({ outputMask }, ctx) {
    return encodedEntries(use.authorized.of(agentOf(ctx)), outputMask);
  },

  syncAuthorizedEntries: syncAuthorizedEntries(use.authorized),
});

interface CreatedResult {
  readonly status: ItemStatus;
  readonly entry?: WireEntry;
}

const createPortion = async (
  use: { readonly trustDomain: TrustDomain; readonly entries: Entries },
  portion: readonly types.Entry[],
  mask: types.EntryMask | undefined,
  ctx: CallContext,
): Promise<CreatedResult[]> => {
  const read = await Promise.all(portion.map((wire) => attempt(ctx, () => readEntry(wire, use.trustDomain))));
  const drafts = read.flatMap(({ value }) => (value ? [value] : []));
  const created = (await use.entries.create(drafts)).values();
  const results = read.map(({ status, value }) =>
    value ? createdResult(created.next().value as Created, mask) : { status },
  );
  results.forEach(({ status, entry }, index) => {
    // The ID may have been made up here.
    auditItem(ctx, () => ({ ...entryFields(portion[index]), ...(entry?.id && { entry_id: entry.id }) }), status);
  });
  return results;
};

const createdResult = (created: Created, mask: types.EntryMask | undefined): CreatedResult => {
  if ('error' in created) {
    return { status: itemStatus(created.error) };
  }
  if (!created.existed) return { status: { code: 0, message: 'OK' }, entry: wireStoredEntry(created.entry, mask) };
  const status = itemStatus(new IssuerError('already-exists', 'similar entry already exists'));
  return { status, entry: wireEntry(created.entry, mask) };
};
