import { Code, GrpcError, type ServiceClient } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { type AgentEntry, sameVersion } from './agent-entry.ts';
import { Outbox } from './outbox.ts';
import { readEntries } from './server-wire.ts';

type EntryClient = ServiceClient<typeof entryV1.Entry>;
type Entries = ReadonlyMap<string, AgentEntry>;
type Revision = Pick<AgentEntry, 'id' | 'revision' | 'createdAt'>;

interface CallLimits {
  readonly signal: AbortSignal;
  /** Seconds. */
  readonly deadline: number;
}

/** What an agent needs to know of an entry (SPIRE agents ask for the same fields). */
const OUTPUT_MASK = {
  spiffeId: true,
  selectors: true,
  federatesWith: true,
  admin: true,
  downstream: true,
  revisionNumber: true,
  storeSvid: true,
  hint: true,
  createdAt: true,
  additionalAttributes: true,
};

/** The whole list in one answer; for servers that have no other way. */
export async function getEntries(
  client: EntryClient,
  limits: CallLimits,
  skipped: (id: string) => void,
): Promise<Entries> {
  const { entries } = await client.getAuthorizedEntries({ outputMask: OUTPUT_MASK }, limits);
  return byId(readEntries(entries, skipped));
}

/**
 * The whole list, of which only what changed travels: a long list comes as revisions, and the entries that are new or
 * changed are asked for. Whatever is missing at the end makes it an error, because the caller deletes what is not named.
 */
export async function syncEntries(
  client: EntryClient,
  known: Entries,
  limits: CallLimits,
  skipped: (id: string) => void,
): Promise<Entries> {
  const requests = new Outbox<{ outputMask?: typeof OUTPUT_MASK; ids?: string[] }>();
  const answers = client.syncAuthorizedEntries(requests, limits)[Symbol.asyncIterator]();
  const next = async (): Promise<entryV1.SyncAuthorizedEntriesResponse> => {
    const { done, value } = await answers.next();
    if (done === true) throw GrpcError.of(Code.INTERNAL, 'the server ended the list of entries before its end');
    return value;
  };
  try {
    requests.send({ outputMask: OUTPUT_MASK });
    const first = await next();
    if (first.entryRevisions.length === 0) return byId(await entriesFrom(first, next, skipped));
    const { revisions, pageSize } = await revisionsFrom(first, next);
    const wanted = revisions.filter((revision) => !isKnown(known, revision)).map(({ id }) => id);
    const fetched: AgentEntry[] = [];
    for (let at = 0; at < wanted.length; at += pageSize) {
      requests.send({ ids: wanted.slice(at, at + pageSize) });
      fetched.push(...(await entriesFrom(await next(), next, skipped)));
    }
    return merge(revisions, known, byId(fetched));
  } finally {
    requests.end();
    await answers.return?.();
  }
}

async function entriesFrom(
  first: entryV1.SyncAuthorizedEntriesResponse,
  next: () => Promise<entryV1.SyncAuthorizedEntriesResponse>,
  skipped: (id: string) => void,
): Promise<AgentEntry[]> {
  const entries = readEntries(first.entries, skipped);
  for (let page = first; page.more; ) {
    page = await next();
    entries.push(...readEntries(page.entries, skipped));
  }
  return entries;
}

async function revisionsFrom(
  first: entryV1.SyncAuthorizedEntriesResponse,
  next: () => Promise<entryV1.SyncAuthorizedEntriesResponse>,
): Promise<{ revisions: readonly Revision[]; pageSize: number }> {
  const revisions = first.entryRevisions.map(readRevision);
  const pageSize = revisions.length;
  for (let page = first; page.more; ) {
    page = await next();
    revisions.push(...page.entryRevisions.map(readRevision));
  }
  return { revisions, pageSize };
}

function readRevision({ id, revisionNumber, createdAt }: entryV1.EntryRevision): Revision {
  return { id, revision: Number(revisionNumber), createdAt: Number(createdAt) };
}

function isKnown(known: Entries, revision: Revision): boolean {
  const entry = known.get(revision.id);
  return entry !== undefined && sameVersion(entry, revision);
}

/** An entry that was listed and then not sent was deleted in between. */
function merge(revisions: readonly Revision[], known: Entries, fetched: Entries): Entries {
  const merged = new Map<string, AgentEntry>();
  for (const revision of revisions) {
    const entry = isKnown(known, revision) ? known.get(revision.id) : fetched.get(revision.id);
    if (entry !== undefined) merged.set(entry.id, entry);
  }
  return merged;
}

function byId(entries: readonly AgentEntry[]): Entries {
  return new Map(entries.map((entry) => [entry.id, entry]));
}
