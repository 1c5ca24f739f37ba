import { bundleV1, types } from '@steeple/proto/server-api';
import { type Call, counted } from '../call.ts';
import type { CallCommand } from '../command.ts';
import { CommandError, explain } from '../command-error.ts';
import { stringFlag } from '../go/flag-kind.ts';
import type { FlagSpec } from '../go/flag-set.ts';
import { quote } from '../go/quote.ts';
import { outputFlag } from '../output-flag.ts';
import { bundleFormat, bundleText, formatUsage, headed, readBundle } from './bundle-text.ts';
import { readBundleInput } from './read-bundle-input.ts';
import { isGood } from './results.ts';

const idFlag: FlagSpec = { name: 'id', kind: stringFlag, usage: 'SPIFFE ID of the trust domain' };

const formatFlag = (what: string): FlagSpec => ({
  name: 'format',
  kind: stringFlag,
  usage: formatUsage(what),
  initial: 'pem',
});

const count: CallCommand = {
  path: 'bundle count',
  synopsis: 'Count bundles',
  on: 'server',
  flags: [outputFlag],
  run: async (call) => {
    const answer = await call.client(bundleV1.Bundle).countBundles({});
    await call.answer(bundleV1.CountBundlesResponseSchema, answer, () =>
      call.line(counted(answer.count, 'bundle', 'bundles')),
    );
  },
};

const show: CallCommand = {
  path: 'bundle show',
  synopsis: 'Prints server CA bundle to stdout',
  on: 'server',
  flags: [formatFlag('The format to show the bundle (only pretty output format supports this flag)'), outputFlag],
  run: async (call) => {
    const bundle = await call.client(bundleV1.Bundle).getBundle({});
    await call.answer(types.BundleSchema, bundle, () => call.io.out(textOf(call, bundle)));
  },
};

const list: CallCommand = {
  path: 'bundle list',
  synopsis: 'Lists federated bundle data',
  on: 'server',
  flags: [
    idFlag,
    formatFlag('The format to list federated bundles (only pretty output format supports this flag)'),
    outputFlag,
  ],
  run: async (call) => {
    const client = call.client(bundleV1.Bundle);
    const trustDomain = call.flags.text('id');
    if (trustDomain !== '') {
      const bundle = await client.getFederatedBundle({ trustDomain });
      return call.answer(types.BundleSchema, bundle, () => call.io.out(textOf(call, bundle)));
    }
    const answer = await client.listFederatedBundles({});
    await call.answer(bundleV1.ListFederatedBundlesResponseSchema, answer, () =>
      call.io.out(answer.bundles.map((bundle) => headed(bundle.trustDomain, textOf(call, bundle))).join('\n')),
    );
  },
};

const textOf = ({ flags }: Call, bundle: types.Bundle): string =>
  bundleText(bundle, bundleFormat(flags.text('format')));

const set: CallCommand = {
  path: 'bundle set',
  synopsis: 'Creates or updates federated bundle data',
  on: 'server',
  flags: [
    idFlag,
    { name: 'path', kind: stringFlag, usage: 'Path to the bundle data' },
    formatFlag('The format of the bundle data'),
    outputFlag,
  ],
  run: async (call) => {
    const id = call.flags.text('id');
    if (id === '') throw new CommandError('id flag is required');
    const format = bundleFormat(call.flags.text('format'));
    const text = await explain('unable to load bundle data', readBundleInput(call.flags.text('path'), call.io));
    const set = call.client(bundleV1.Bundle).batchSetFederatedBundle({ bundle: [readBundle(text, format, id)] });
    const answer = await explain('failed to set federated bundle', set);
    await call.answer(bundleV1.BatchSetFederatedBundleResponseSchema, answer, () => {
      const [result] = answer.results;
      if (result === undefined || isGood(result)) return call.line('bundle set.');
      throw new CommandError(`failed to set federated bundle: ${result.status?.message ?? ''}`);
    });
  },
};

const { RESTRICT, DELETE, DISSOCIATE } = bundleV1.BatchDeleteFederatedBundleRequest_Mode;
const MODES = new Map([
  ['', RESTRICT],
  ['restrict', RESTRICT],
  ['delete', DELETE],
  ['dissociate', DISSOCIATE],
]);

const remove: CallCommand = {
  path: 'bundle delete',
  synopsis: 'Deletes federated bundle data',
  on: 'server',
  flags: [
    idFlag,
    {
      name: 'mode',
      kind: stringFlag,
      usage: 'Deletion mode: one of restrict, delete, or dissociate',
      initial: 'restrict',
    },
    outputFlag,
  ],
  run: async (call) => {
    const id = call.flags.text('id');
    if (id === '') throw new CommandError('id is required');
    const mode = MODES.get(call.flags.text('mode'));
    if (mode === undefined) throw new CommandError(`unsupported mode ${quote(call.flags.text('mode'))}`);
    const deleted = call.client(bundleV1.Bundle).batchDeleteFederatedBundle({ trustDomains: [id], mode });
    const answer = await explain('failed to delete federated bundle', deleted);
    await call.answer(bundleV1.BatchDeleteFederatedBundleResponseSchema, answer, () => {
      const [result] = answer.results;
      if (result === undefined || isGood(result)) return call.line('bundle deleted.');
      throw new CommandError(
        `failed to delete federated bundle ${quote(result.trustDomain)}: ${result.status?.message ?? ''}`,
      );
    });
  },
};

/** Commands about the bundles of trust domains. */
export const bundleCommands: readonly CallCommand[] = [count, remove, list, set, show];
