import type { MessageInitShape } from '@bufbuild/protobuf';
import type { entryV1 } from '@steeple/proto/server-api';
import { explainNow } from '../command-error.ts';
import { boolFlag, listFlag, stringFlag } from '../go/flag-kind.ts';
import type { FlagSpec, FlagValues } from '../go/flag-set.ts';
import { quote } from '../go/quote.ts';
import { behaviour, readSelector } from '../matching.ts';
import { readId, type WireId } from '../spiffe-id.ts';

/** The flags that say which entries are shown or counted. */
export const entryFilterFlags = (verb: string): readonly FlagSpec[] => [
  { name: 'parentID', kind: stringFlag, usage: `The Parent ID of the records to ${verb}` },
  { name: 'spiffeID', kind: stringFlag, usage: `The SPIFFE ID of the records to ${verb}` },
  {
    name: 'downstream',
    kind: boolFlag,
    usage: 'A boolean value that, when set, indicates that the entry describes a downstream SPIRE server',
  },
  { name: 'selector', kind: listFlag, usage: 'A colon-delimited type:value selector. Can be used more than once' },
  {
    name: 'federatesWith',
    kind: listFlag,
    usage: 'SPIFFE ID of a trust domain an entry is federate with. Can be used more than once',
  },
  matchFlag('matchFederatesWithOn', 'federates with'),
  matchFlag('matchSelectorsOn', 'selectors'),
  { name: 'hint', kind: stringFlag, usage: `The Hint of the records to ${verb} (optional)` },
];

const matchFlag = (name: string, of: string): FlagSpec => ({
  name,
  kind: stringFlag,
  usage: `The match mode used when filtering by ${of}. Options: exact, any, superset and subset`,
  initial: 'superset',
});

type Filter = Exclude<MessageInitShape<typeof entryV1.ListEntriesRequest_FilterSchema>, { $typeName: string }>;

/** The filter of a list or a count, which are alike. */
export function entryFilter(flags: FlagValues): Filter {
  const [parent, id, hint] = [flags.text('parentID'), flags.text('spiffeID'), flags.text('hint')];
  const byParentId = parent === '' ? undefined : idOf('parent ID', parent);
  const bySpiffeId = id === '' ? undefined : idOf('SPIFFE ID', id);
  const selectors = flags.list('selector');
  const trustDomains = flags.list('federatesWith');
  return {
    ...(byParentId && { byParentId }),
    ...(bySpiffeId && { bySpiffeId }),
    ...(selectors.length > 0 && {
      bySelectors: { match: behaviour(flags.text('matchSelectorsOn')), selectors: selectors.map(selectorOf) },
    }),
    ...(trustDomains.length > 0 && {
      byFederatesWith: { trustDomains, match: behaviour(flags.text('matchFederatesWithOn')) },
    }),
    ...(hint !== '' && { byHint: hint }),
    byDownstream: flags.isOn('downstream'),
  };
}

const idOf = (name: string, text: string): WireId =>
  explainNow(`error parsing ${name} ${quote(text)}`, () => readId(text));

const selectorOf = (text: string): { type: string; value: string } =>
  explainNow('error parsing selectors', () => readSelector(text));
