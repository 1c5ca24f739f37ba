import type { MessageInitShape } from '@bufbuild/protobuf';
import { answerSyncRequest, checkFirstSyncRequest, planSync } from '@steeple/core';
import type { BidiHandler } from '@steeple/proto/grpc';
import type { entryV1 } from '@steeple/proto/server-api';
import type { AuthorizedEntries } from '../app/authorized-entries.ts';
import { agentOf } from './caller.ts';
import { wireEntry } from './translate/entry.ts';
import { wireTime } from './translate/number.ts';

type Request = entryV1.SyncAuthorizedEntriesRequest;
type Response = MessageInitShape<typeof entryV1.SyncAuthorizedEntriesResponseSchema>;

/**
 * Few entries are sent whole. Of many the revisions go first, and then what the agent asks for. All answers of one
 * stream come from the entries as they were at its beginning.
 */
export const syncAuthorizedEntries = (authorized: AuthorizedEntries): BidiHandler<Request, Response> =>
  async function* sync(requests, ctx) {
    const stream = requests[Symbol.asyncIterator]();
    const first = await stream.next();
    if (first.done) return;
    const { ids, outputMask } = first.value;
    checkFirstSyncRequest(ids, outputMask?.revisionNumber ?? true);
    const entries = authorized.of(agentOf(ctx));
    const plan = planSync(entries);
    if (plan.kind === 'entries') {
      yield { entries: plan.entries.map((entry) => wireEntry(entry, outputMask)) };
      return;
    }
    for (const { items, more } of plan.pages) {
      yield {
        entryRevisions: items.map(({ id, revision, createdAt }) => ({
          id,
          revisionNumber: BigInt(revision),
          createdAt: wireTime(createdAt),
        })),
        more,
      };
    }
    const byId = new Map(entries.map((entry) => [entry.id, entry]));
    for (let next = await stream.next(); !next.done; next = await stream.next()) {
      for (const { items, more } of answerSyncRequest(byId, next.value.ids)) {
        yield { entries: items.map((entry) => wireEntry(entry, outputMask)), more };
      }
    }
  };
