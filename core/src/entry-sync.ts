import type { RegistrationEntry } from './entry.ts';
import { IssuerError } from './errors.ts';

/** Entries or revisions in one message of SyncAuthorizedEntries. */
export const SYNC_PAGE = 500;

/** What tells a changed entry from the one already known. A deleted and recreated id differs in `createdAt`. */
export interface EntryRevision {
  readonly id: string;
  readonly revision: number;
  readonly createdAt: number;
}

/** The server's first answer: few entries are sent whole, of many only the revisions. */
export type SyncPlan =
  | { readonly kind: 'entries'; readonly entries: readonly RegistrationEntry[] }
  | { readonly kind: 'revisions'; readonly pages: readonly SyncPage<EntryRevision>[] };

/** Part of an answer; `more` is false on the last part only. */
export interface SyncPage<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

/** Refuses a first request that names ids, or hides what the client needs. @throws {IssuerError} `invalid-argument` */
export function checkFirstSyncRequest(ids: readonly string[], revisionWanted: boolean): void {
  if (ids.length > 0) {
    throw new IssuerError('invalid-argument', 'specifying IDs on initial request is not supported');
  }
  if (!revisionWanted) throw new IssuerError('invalid-argument', 'revision number cannot be masked');
}

/** What to send first for these authorized entries. */
export function planSync(entries: readonly RegistrationEntry[], pageSize = SYNC_PAGE): SyncPlan {
  if (entries.length <= pageSize) return { kind: 'entries', entries };
  const revisions = entries.map(({ id, revision, createdAt }) => ({ id, revision, createdAt }));
  return { kind: 'revisions', pages: paginate(revisions, pageSize) };
}

/** The answer to a request for whole entries, each once. Unknown ids are left out; there is always at least one page. */
export function answerSyncRequest(
  entries: ReadonlyMap<string, RegistrationEntry>,
  ids: readonly string[],
  pageSize = SYNC_PAGE,
): SyncPage<RegistrationEntry>[] {
  const found = [...new Set(ids)].map((id) => entries.get(id)).filter((entry) => entry !== undefined);
  return paginate(found, pageSize);
}

/** What a client must do to have the same entries as the server. */
export interface EntryDelta {
  /** To be fetched: new or changed. */
  readonly stale: readonly string[];
  /** To be forgotten. */
  readonly removed: readonly string[];
}

/** Compares what the client knows with what the server named. */
export function diffRevisions(known: Iterable<EntryRevision>, current: readonly EntryRevision[]): EntryDelta {
  const knownById = new Map([...known].map((entry) => [entry.id, entry]));
  const stale = current.filter((revision) => isStale(knownById.get(revision.id), revision)).map(({ id }) => id);
  for (const { id } of current) knownById.delete(id);
  return { stale, removed: [...knownById.keys()] };
}

/** Whether a known entry is not the current one. Any difference counts: a restored database may go back. */
export function isStale(known: EntryRevision | undefined, current: EntryRevision): boolean {
  return known === undefined || known.revision !== current.revision || known.createdAt !== current.createdAt;
}

/** The ids to fetch in portions; SPIRE takes at most as many as its first page of revisions had. */
export function chunkIds(ids: readonly string[], firstPageSize: number): string[][] {
  return cut(ids, Math.max(1, firstPageSize));
}

function paginate<T>(items: readonly T[], size: number): SyncPage<T>[] {
  const parts = items.length === 0 ? [[]] : cut(items, size);
  return parts.map((part, index) => ({ items: part, more: index < parts.length - 1 }));
}

function cut<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}
