import type { MessageInitShape } from '@bufbuild/protobuf';
import type { agentV1 } from '@steeple/proto/server-api';
import { CommandError, explainNow } from '../command-error.ts';
import { filterFlag, listFlag, stringFlag } from '../go/flag-kind.ts';
import type { FlagSpec, FlagValues } from '../go/flag-set.ts';
import { quote } from '../go/quote.ts';
import { behaviour, isBehaviour, readSelector } from '../matching.ts';

/** The flags that say which agents a list or a count is about. */
export const agentFilterFlags: readonly FlagSpec[] = [
  {
    name: 'selector',
    kind: listFlag,
    usage: 'A colon-delimited type:value selector. Can be used more than once',
  },
  {
    name: 'attestationType',
    kind: stringFlag,
    usage: 'Filter by attestation type, like join_token or x509pop.',
  },
  {
    name: 'canReattest',
    kind: filterFlag,
    usage:
      "Filter based on string received, 'true': agents that can reattest, 'false': agents that can't reattest, other value will return all.",
  },
  {
    name: 'banned',
    kind: filterFlag,
    usage:
      "Filter based on string received, 'true': banned agents, 'false': not banned agents, other value will return all.",
  },
  {
    name: 'expiresBefore',
    kind: stringFlag,
    usage: 'Filter by expiration time (format: "2006-01-02 15:04:05 -0700 -07")',
  },
  {
    name: 'matchSelectorsOn',
    kind: stringFlag,
    usage: 'The match mode used when filtering by selectors. Options: exact, any, superset and subset',
    initial: 'superset',
  },
];

type Filter = Exclude<MessageInitShape<typeof agentV1.ListAgentsRequest_FilterSchema>, { $typeName: string }>;

/** The filter of a list or a count, which are alike. */
export function agentFilter(flags: FlagValues): Filter {
  const selectors = flags.list('selector');
  const match = flags.text('matchSelectorsOn');
  if (selectors.length > 0 && !isBehaviour(match)) throw new CommandError('unsupported match behavior');
  const banned = flags.filter('banned');
  const canReattest = flags.filter('canReattest');
  return {
    ...(selectors.length > 0 && {
      bySelectorMatch: { selectors: selectors.map(selectorOf), match: behaviour(match) },
    }),
    byExpiresBefore: checkedTime(flags.text('expiresBefore')),
    byAttestationType: flags.text('attestationType'),
    ...(canReattest !== undefined && { byCanReattest: canReattest }),
    ...(banned !== undefined && { byBanned: banned }),
  };
}

const selectorOf = (text: string): { type: string; value: string } =>
  explainNow(`error parsing selector ${quote(text)}`, () => readSelector(text));

const LAYOUT = '2006-01-02 15:04:05 -0700 -07';
const FORM = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4} [+-]\d\d$/;

const checkedTime = (text: string): string => {
  if (text === '') return text;
  const [date = '', time = ''] = text.split(' ');
  if (!FORM.test(text) || Number.isNaN(Date.parse(`${date}T${time}Z`))) {
    throw new CommandError(`date is not valid: parsing time ${quote(text)} as ${quote(LAYOUT)}: cannot parse`);
  }
  return text;
};
