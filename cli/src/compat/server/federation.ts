import { create } from '@bufbuild/protobuf';
import { Code, GrpcError } from '@steeple/proto/grpc';
import { trustdomainV1, types } from '@steeple/proto/server-api';
import { type Call, counted } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { CommandError, errorText, explain } from '../command-error.ts';
import { stringFlag } from '../go/flag-kind.ts';
import type { FlagSpec } from '../go/flag-set.ts';
import { quote } from '../go/quote.ts';
import { outputFlag } from '../output-flag.ts';
import { type RelationshipInit, readRelationships, relationshipFlags } from './federation-input.ts';
import { isGood, type Result, tellResults } from './results.ts';

const idFlag: FlagSpec = { name: 'id', kind: stringFlag, usage: 'SPIFFE ID of the trust domain' };
const client = (call: Call) => call.client(trustdomainV1.TrustDomain);

const createRelationship: CallCommand = {
  path: 'federation create',
  synopsis: 'Creates a dynamic federation relationship with a foreign trust domain',
  on: 'server',
  flags: [...relationshipFlags, outputFlag],
  run: async (call) => {
    const federationRelationships = await readRelationships(call.flags, call.io);
    const created = client(call).batchCreateFederationRelationship({ federationRelationships });
    const answer = await explain('request failed', created);
    await call.answer(trustdomainV1.BatchCreateFederationRelationshipResponseSchema, answer, () =>
      tellChanged(call, 'create', answer.results, federationRelationships),
    );
  },
};

const update: CallCommand = {
  path: 'federation update',
  synopsis: 'Updates a dynamic federation relationship with a foreign trust domain',
  on: 'server',
  flags: [...relationshipFlags, outputFlag],
  run: async (call) => {
    const federationRelationships = await readRelationships(call.flags, call.io);
    const updated = client(call).batchUpdateFederationRelationship({ federationRelationships });
    const answer = await explain('request failed', updated);
    await call.answer(trustdomainV1.BatchUpdateFederationRelationshipResponseSchema, answer, () =>
      tellChanged(call, 'update', answer.results, federationRelationships),
    );
  },
};

const tellChanged = (
  call: Call,
  verb: string,
  results: readonly (Result & { federationRelationship?: types.FederationRelationship | undefined })[],
  sent: readonly RelationshipInit[],
): void => {
  // Servers do not send back what they refused.
  const shown = results.map((result, index) =>
    isGood(result)
      ? result
      : { ...result, federationRelationship: create(types.FederationRelationshipSchema, sent[index] ?? {}) },
  );
  const words = { verb, one: 'federation relationship', many: 'federation relationships', apart: true };
  tellResults(call, shown, words, ({ federationRelationship }) => relationshipText(federationRelationship));
};

const list: CallCommand = {
  path: 'federation list',
  synopsis: 'Lists all dynamic federation relationships',
  on: 'server',
  flags: [outputFlag],
  run: async (call) => {
    const answer = await explain('error listing federation relationship', client(call).listFederationRelationships({}));
    await call.answer(trustdomainV1.ListFederationRelationshipsResponseSchema, answer, () => {
      const { federationRelationships: found } = answer;
      call.line(`Found ${counted(found.length, 'federation relationship', 'federation relationships')}`);
      for (const one of found) call.io.out(`\n${relationshipText(one)}`);
    });
  },
};

const show: CallCommand = {
  path: 'federation show',
  synopsis: 'Shows a dynamic federation relationship',
  on: 'server',
  flags: [
    {
      name: 'trustDomain',
      kind: stringFlag,
      usage: 'The trust domain name of the federation relationship to show',
    },
    outputFlag,
  ],
  run: async (call) => {
    const trustDomain = call.flags.text('trustDomain');
    if (trustDomain === '') throw new CommandError('a trust domain name is required');
    const found = client(call).getFederationRelationship({ trustDomain });
    const relationship = await explain('error showing federation relationship', found);
    await call.answer(types.FederationRelationshipSchema, relationship, () => {
      call.line(`Found a federation relationship with trust domain ${trustDomain}:\n`);
      call.io.out(relationshipText(relationship));
    });
  },
};

const remove: CallCommand = {
  path: 'federation delete',
  synopsis: 'Deletes a dynamic federation relationship',
  on: 'server',
  flags: [idFlag, outputFlag],
  run: async (call) => {
    const id = call.flags.text('id');
    if (id === '') throw new CommandError('id is required');
    const deleted = client(call).batchDeleteFederationRelationship({ trustDomains: [id] });
    const answer = await explain('failed to delete federation relationship', deleted);
    await call.answer(trustdomainV1.BatchDeleteFederationRelationshipResponseSchema, answer, () => {
      const [result] = answer.results;
      if (result === undefined) throw new CommandError('internal error: cli printer; please report this bug');
      if (isGood(result)) return call.line('federation relationship deleted.');
      throw new CommandError(
        `failed to delete federation relationship ${quote(result.trustDomain)}: ${result.status?.message ?? ''}`,
      );
    });
  },
};

const refresh: CallCommand = {
  path: 'federation refresh',
  synopsis: 'Refreshes the bundle from the specified federated trust domain',
  on: 'server',
  flags: [idFlag, outputFlag],
  run: async (call) => {
    const id = call.flags.text('id');
    if (id === '') throw new CommandError('id is required');
    await client(call)
      .refreshBundle({ trustDomain: id })
      .catch((cause: unknown) => {
        throw new CommandError(
          cause instanceof GrpcError && cause.code === Code.NOT_FOUND
            ? `there is no federation relationship with trust domain ${quote(id)}`
            : `failed to refresh bundle: ${errorText(cause)}`,
          { cause },
        );
      });
    const ok = create(types.StatusSchema, { code: 0, message: 'OK' });
    await call.answer(types.StatusSchema, ok, () => call.line('Bundle refreshed'));
  },
};

const relationshipText = (relationship: types.FederationRelationship | undefined): string => {
  const profile = relationship?.bundleEndpointProfile;
  const lines = [
    `Trust domain              : ${relationship?.trustDomain ?? ''}`,
    `Bundle endpoint URL       : ${relationship?.bundleEndpointUrl ?? ''}`,
  ];
  if (profile?.case === 'httpsWeb') lines.push('Bundle endpoint profile   : https_web');
  if (profile?.case === 'httpsSpiffe') {
    lines.push(
      'Bundle endpoint profile   : https_spiffe',
      `Endpoint SPIFFE ID        : ${profile.value.endpointSpiffeId}`,
    );
  }
  return `${lines.join('\n')}\n`;
};

/** Commands about relationships with other trust domains. */
export const federationCommands: readonly CallCommand[] = [createRelationship, remove, list, refresh, show, update];
