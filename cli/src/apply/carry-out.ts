import { MOST_OWNED, ownershipRecord, ownershipRecordId } from '@steeple/core';
import { Code } from '@steeple/proto/grpc';
import { entryV1, trustdomainV1 } from '@steeple/proto/server-api';
import { TrustDomain } from '@steeple/spiffe';
import { type UseOptions, withClient } from '../connect.ts';
import { UserError } from '../exit.ts';
import { applyPlan, type Failure, failuresOf } from '../migrate/apply.ts';
import { type ApplyPlan, prefixOf } from './plan-apply.ts';
import { wireEntry } from './wire.ts';

/** Removed in one request. */
const BATCH = 50;

interface Target {
  readonly set: string;
  readonly trustDomain: string;
  readonly socket: string;
}

/**
 * Makes it so, in an order in which an interruption loses nothing: what was made is recorded before it is made, the new is
 * there before the old goes, and a record is dropped after what it speaks of.
 */
export async function carryOut(plan: ApplyPlan, target: Target, prune: boolean, use: UseOptions): Promise<Failure[]> {
  const made = plan.relationships.filter(({ action }) => action === 'create').map(({ name }) => name);
  const all = new Set([...plan.owned, ...made]);
  if (all.size > plan.owned.size) await record(all, target, use);
  const failures = await applyPlan(plan, target.socket, use);
  if (!prune) return failures;
  failures.push(
    ...(await removeEntries(
      plan.staleEntries.map(({ id }) => id),
      target,
      use,
    )),
  );
  const refused = await removeRelationships(plan.staleRelationships, target, use);
  const refusedNames = new Set(refused.map(({ name }) => name));
  const left = [...all].filter((name) => !plan.staleRelationships.includes(name) || refusedNames.has(name));
  if (left.length < all.size) await record(new Set(left), target, use);
  return [...failures, ...refused];
}

/** Writes down which relationships are this set's. */
const record = async (owned: ReadonlySet<string>, { set, trustDomain, socket }: Target, use: UseOptions) => {
  if (owned.size > MOST_OWNED) throw new UserError(`one set can have ${MOST_OWNED} trust domains, not ${owned.size}`);
  const prefix = prefixOf(set);
  const id = ownershipRecordId(prefix);
  await withClient(
    entryV1.Entry,
    socket,
    async (client) => {
      if (owned.size === 0) {
        await client.batchDeleteEntry({ ids: [id] });
        return;
      }
      const entry = wireEntry(ownershipRecord(TrustDomain.parse(trustDomain), prefix, owned), id);
      const updated = await client.batchUpdateEntry({ entries: [entry], outputMask: {} });
      if (updated.results[0]?.status?.code !== Code.NOT_FOUND) return mustBeTaken(updated.results[0]?.status);
      const created = await client.batchCreateEntry({ entries: [entry], outputMask: {} });
      return mustBeTaken(created.results[0]?.status);
    },
    use,
  );
};

const mustBeTaken = (status: { readonly code: number; readonly message: string } | undefined): void => {
  if (status?.code === 0) return;
  throw new UserError(`what was made cannot be recorded: ${status?.message ?? 'no answer'}`, 'nothing was changed');
};

const removeEntries = (ids: readonly string[], { socket }: Target, use: UseOptions): Promise<Failure[]> =>
  withClient(
    entryV1.Entry,
    socket,
    (client) => inBatches(ids, use, async (batch) => (await client.batchDeleteEntry({ ids: [...batch] })).results),
    use,
  );

const removeRelationships = (names: readonly string[], { socket }: Target, use: UseOptions): Promise<Failure[]> =>
  withClient(
    trustdomainV1.TrustDomain,
    socket,
    (client) =>
      inBatches(
        names,
        use,
        async (batch) => (await client.batchDeleteFederationRelationship({ trustDomains: [...batch] })).results,
      ),
    use,
  );

/** What is gone already is as it should be. */
const inBatches = async (
  names: readonly string[],
  { signal }: UseOptions,
  send: (batch: readonly string[]) => Promise<Parameters<typeof failuresOf>[1]>,
): Promise<Failure[]> => {
  const failures: Failure[] = [];
  for (let start = 0; start < names.length; start += BATCH) {
    if (signal?.aborted === true) throw new UserError('interrupted', 'run it again: it goes on where it stopped');
    const batch = names.slice(start, start + BATCH);
    failures.push(...failuresOf(batch, await send(batch), [Code.NOT_FOUND]));
  }
  return failures;
};
