import { agentV1, entryV1 } from '@steeple/proto/server-api';
import { type EntryInit, entryFields } from '../../entry-flags.ts';
import { UserError } from '../../exit.ts';
import { isOn, text, texts } from '../../flags.ts';
import { entryDetails } from '../../output/entry-table.ts';
import { print } from '../../output/print.ts';
import { onServer } from '../../server-client.ts';
import { idText, spiffeId, type WireId } from '../../spiffe-id-flag.ts';
import type { CliContext, Options } from '../../verb.ts';
import { failRefused } from '../../watching.ts';

export async function run(options: Options, context: CliContext): Promise<void> {
  const fields = entryFields(options);
  if (texts(options, 'selector').length === 0) {
    throw new UserError('--selector is required', 'a process of yours: --selector unix:uid:$(id -u)');
  }
  const parentId = fields.parentId ?? (await parentOf(options, context));
  const entry: EntryInit = { ...fields, parentId, id: text(options, 'entryId') ?? '' };
  const answer = await onServer(entryV1.Entry, options, context, (client) =>
    client.batchCreateEntry({ entries: [entry] }),
  );
  await print(context, options, entryV1.BatchCreateEntryResponseSchema, answer, () =>
    answer.results
      .flatMap((result) =>
        result.entry === undefined || result.status?.code !== 0 ? [] : [entryDetails(result.entry, context.now())],
      )
      .join('\n\n'),
  );
  failRefused(context, answer.results, () => text(options, 'spiffeId') ?? 'entry');
}

/** Without --parent-id: the server itself for a group of nodes, else the only agent there is. */
async function parentOf(options: Options, context: CliContext): Promise<WireId> {
  if (isOn(options, 'node')) {
    const { trustDomain } = spiffeId(text(options, 'spiffeId') ?? '', '--spiffe-id');
    return { trustDomain, path: '/spire/server' };
  }
  const { agents } = await onServer(agentV1.Agent, options, context, (client) => client.listAgents({ pageSize: 2 }));
  const [only] = agents;
  if (only?.id === undefined) {
    throw new UserError(
      'no agent has joined yet, so --parent-id is needed',
      'let one join with `steeple token generate`',
    );
  }
  if (agents.length > 1) {
    throw new UserError('there are several agents, so --parent-id is needed', 'see them with `steeple agent list`');
  }
  context.err(`parent: ${idText(only.id)} (the only agent)`);
  return only.id;
}
