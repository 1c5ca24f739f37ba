import { statusName } from '@steeple/proto/grpc';
import { bundleV1, entryV1, trustdomainV1, type types } from '@steeple/proto/server-api';
import { type UseOptions, withClient } from '../connect.ts';
import { UserError } from '../exit.ts';
import type { Plan } from './plan.ts';
import type { Step } from './step.ts';

/** A step that the server refused. */
export interface Failure {
  readonly name: string;
  readonly why: string;
}

/** Entries in one request: few enough that an interruption costs little. */
const BATCH = 50;

interface Outcome {
  readonly status?: types.Status | undefined;
}

/**
 * Does what the plan says, in the order in which things need each other: bundles, relationships, entries. Each request
 * stands for itself, so after an interruption a new plan holds what is left.
 */
export async function applyPlan(plan: Plan, socket: string, use: UseOptions): Promise<Failure[]> {
  const bundles = await withClient(
    bundleV1.Bundle,
    socket,
    (client) =>
      inBatches(plan.bundles, use, async (steps) => {
        const { results } = await client.batchSetFederatedBundle({ bundle: steps.map(({ wanted }) => wanted) });
        return results;
      }),
    use,
  );
  const relationships = await withClient(
    trustdomainV1.TrustDomain,
    socket,
    async (client) => [
      ...(await inBatches(of('create', plan.relationships), use, async (steps) => {
        const federationRelationships = steps.map(({ wanted }) => wanted);
        return (await client.batchCreateFederationRelationship({ federationRelationships })).results;
      })),
      ...(await inBatches(of('update', plan.relationships), use, async (steps) => {
        const federationRelationships = steps.map(({ wanted }) => wanted);
        const inputMask = { bundleEndpointUrl: true, bundleEndpointProfile: true };
        return (await client.batchUpdateFederationRelationship({ federationRelationships, inputMask })).results;
      })),
    ],
    use,
  );
  const entries = await withClient(
    entryV1.Entry,
    socket,
    async (client) => [
      ...(await inBatches(of('create', plan.entries), use, async (steps) => {
        const outputMask = {};
        return (await client.batchCreateEntry({ entries: steps.map(({ wanted }) => wanted), outputMask })).results;
      })),
      ...(await inBatches(of('update', plan.entries), use, async (steps) => {
        const outputMask = {};
        return (await client.batchUpdateEntry({ entries: steps.map(({ wanted }) => wanted), outputMask })).results;
      })),
    ],
    use,
  );
  return [...bundles, ...relationships, ...entries];
}

const of = <T>(action: Step<T>['action'], steps: readonly Step<T>[]): readonly Step<T>[] =>
  steps.filter((step) => step.action === action);

const inBatches = async <T>(
  steps: readonly Step<T>[],
  { signal }: UseOptions,
  send: (steps: readonly Step<T>[]) => Promise<readonly Outcome[]>,
): Promise<Failure[]> => {
  const due = steps.filter(({ action }) => action === 'create' || action === 'update');
  const failures: Failure[] = [];
  for (let start = 0; start < due.length; start += BATCH) {
    if (signal?.aborted === true) throw new UserError('interrupted', 'run it again: it goes on where it stopped');
    const batch = due.slice(start, start + BATCH);
    failures.push(
      ...failuresOf(
        batch.map(({ name }) => name),
        await send(batch),
      ),
    );
  }
  return failures;
};

/** What a batch's answer refuses, by name; statuses that are as good as done do not count. */
export const failuresOf = (
  names: readonly string[],
  results: readonly Outcome[],
  fine: readonly number[] = [],
): readonly Failure[] =>
  names.flatMap((name, index) => {
    const { code = 0, message = '' } = results[index]?.status ?? {};
    return code === 0 || fine.includes(code) ? [] : [{ name, why: `${message} (${statusName(code)})` }];
  });
