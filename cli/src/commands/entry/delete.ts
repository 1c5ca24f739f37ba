import { Code } from '@steeple/proto/grpc';
import { entryV1 } from '@steeple/proto/server-api';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';
import { failRefused } from '../../watching.ts';
import { FIND_ENTRY } from '../../when-missing.ts';

export async function run(options: Options, context: CliContext, ids: readonly string[]): Promise<void> {
  const answer = await onServer(entryV1.Entry, options, context, (client) =>
    client.batchDeleteEntry({ ids: [...ids] }),
  );
  await print(context, options, entryV1.BatchDeleteEntryResponseSchema, answer, () =>
    answer.results.flatMap(({ id, status }) => (status?.code === 0 ? [`deleted ${id}`] : [])).join('\n'),
  );
  failRefused(context, answer.results, (index) => ids[index] ?? '', { [Code.NOT_FOUND]: FIND_ENTRY });
}
