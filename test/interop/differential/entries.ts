import type { types } from '@steeple/proto/server-api';
import type { ServerApi } from '../spire/server-api.ts';
import { asking, type Question } from './request.ts';

const ask = asking('entry');
const td = 'domain.test';
const id = (path: string, trustDomain = td) => ({ trustDomain, path });
const unix = (value: string) => ({ type: 'unix', value });
const entry = (more: object = {}) => ({
  spiffeId: id('/a'),
  parentId: id('/parent'),
  selectors: [unix('uid:1')],
  ...more,
});
const create = (more: object, better?: string) => ask('batchCreateEntry', { entries: [entry(more)] }, better);
const strict = (what: string) => `${what} is refused with InvalidArgument`;

const creations: readonly Question[] = [
  ask('batchCreateEntry', { entries: [] }),
  create({ id: 'e1' }),
  create({ id: 'e1' }),
  create({ id: 'e2' }),
  create({ id: 'e2', spiffeId: id('/two'), selectors: [unix('uid:2'), unix('uid:1')], dnsNames: ['b.test', 'a.test'] }),
  create({ id: 'e3', spiffeId: id('/two'), selectors: [unix('uid:1'), unix('uid:2')] }),
  create({ id: 'e1', spiffeId: id('/three') }, 'the message names no table'),
  create({ id: 'e4', spiffeId: id('/four'), hint: 'h', federatesWith: ['none.test'] }),
  create({
    id: 'e5',
    spiffeId: id('/five'),
    hint: 'h',
    x509SvidTtl: 60,
    jwtSvidTtl: 30,
    admin: true,
    downstream: true,
  }),
  create({ id: 'e6', spiffeId: id('/six'), additionalAttributes: { disableX509SvidPrefetch: true } }),
  create({ id: 'e7', spiffeId: id('/seven'), additionalAttributes: {} }),
  create({ id: 'e8', spiffeId: id('/eight'), storeSvid: true, selectors: [{ type: 'disk', value: 'x' }] }),
  create({ id: 'e9', storeSvid: true, selectors: [unix('uid:1'), { type: 'disk', value: 'x' }] }),
  create({ id: 'e9', storeSvid: true, additionalAttributes: { disableX509SvidPrefetch: true } }),
  create({ id: 'ea', parentId: id('/spire/server'), spiffeId: id('/nodes') }),
  create({ id: 'eb', parentId: id('/spire/agent/x509pop/1'), spiffeId: id('/eb'), expiresAt: 4_102_444_800n }),
  create({ id: 'x', spiffeId: undefined }),
  create({ id: 'x', parentId: undefined }),
  create({ id: 'x', selectors: [] }),
  create({ id: 'x', selectors: [{ type: '', value: 'x' }] }),
  create({ id: 'x', selectors: [{ type: 'a:b', value: 'x' }] }),
  create({ id: 'x', selectors: [{ type: 'a', value: '' }] }),
  create({ id: 'x', spiffeId: id('/x', 'other.test') }),
  create({ id: 'x', parentId: id('/x', 'other.test') }),
  create({ id: 'x', spiffeId: id('') }),
  create({ id: 'x', parentId: id('') }),
  create({ id: 'x', spiffeId: id('x') }, 'the message names the rule in our words'),
  create({ id: 'x', spiffeId: id('/x/') }, 'the message names the rule in our words'),
  create({ id: 'x', spiffeId: id('/x', 'Domain.test') }, 'the message names the rule in our words'),
  create({ id: 'x', spiffeId: id('/spire') }),
  create({ id: 'x', spiffeId: id('/spire/agent/x') }),
  create({ id: 'x', x509SvidTtl: -1 }, 'the message names the bound'),
  create({ id: 'x', jwtSvidTtl: -1 }, 'the message names the bound'),
  create({ id: 'x', hint: 'h'.repeat(1025) }),
  create({ id: 'x', federatesWith: ['no domain'] }, 'the message names the rule in our words'),
  create({ id: 'x', dnsNames: [''] }, 'the message names the rule in our words'),
  create({ id: 'x y' }),
  create({ id: 'x'.repeat(256) }),
  create({ id: 'own', spiffeId: id('/own'), federatesWith: [td] }),
  create(
    { id: 'twice', spiffeId: id('/twice'), selectors: [unix('uid:1'), unix('uid:1')] },
    'a repeated selector is one',
  ),
  // SPIRE takes all of these.
  create({ id: 'x', spiffeId: id(`/${'x'.repeat(3000)}`) }, strict('an ID over 2048 bytes')),
  create({ id: 'x', spiffeId: id('/dns1'), dnsNames: ['a b'] }, strict('a space')),
  create({ id: 'x', spiffeId: id('/dns2'), dnsNames: ['a\nb'] }, strict('a line feed')),
  create({ id: 'x', spiffeId: id('/dns3'), dnsNames: ['a/b'] }, strict('a slash')),
  create({ id: 'x', spiffeId: id('/dns4'), dnsNames: ['a:80'] }, strict('a port')),
  create({ id: 'x', spiffeId: id('/dns5'), dnsNames: ['192.0.2.1'] }, strict('an address')),
  create({ id: 'x', spiffeId: id('/sel1'), selectors: [unix('x'.repeat(1_000_000))] }, strict('a selector of 1 MB')),
  create({ id: 'x', spiffeId: id('/exp'), expiresAt: -1n }, strict('a negative expiry')),
  {
    name: 'what only one of them took is removed',
    walk: async (api) => {
      await api.entry.batchDeleteEntry({ ids: ['x', 'twice'] }, { deadline: 10 });
      return [];
    },
  },
];

const updates: readonly Question[] = [
  ask('batchUpdateEntry', { entries: [] }),
  ask('batchUpdateEntry', { entries: [entry({ id: 'none' })] }),
  ask('batchUpdateEntry', { entries: [entry({ id: '' })] }),
  ask('batchUpdateEntry', { entries: [entry({ id: 'e5', spiffeId: id('/five') })] }),
  ask('batchUpdateEntry', { entries: [entry({ id: 'e5', spiffeId: id('/five') })] }),
  ask('batchUpdateEntry', { entries: [{ id: 'e5', hint: 'masked' }], inputMask: { hint: true } }),
  ask('batchUpdateEntry', { entries: [{ id: 'e5' }], inputMask: {} }),
  ask('batchUpdateEntry', { entries: [{ id: 'e5', selectors: [] }], inputMask: { selectors: true } }),
  ask('batchUpdateEntry', { entries: [{ id: 'e5', dnsNames: ['b.test', 'a.test'] }], inputMask: { dnsNames: true } }),
  ask('batchUpdateEntry', { entries: [{ id: 'e6' }], inputMask: { additionalAttributes: true } }),
  ask('batchUpdateEntry', {
    entries: [{ id: 'e5', hint: 'x' }],
    inputMask: { hint: true },
    outputMask: { hint: true },
  }),
  ask('batchUpdateEntry', { entries: [{ id: 'e5', hint: 'x' }], inputMask: { hint: true }, outputMask: {} }),
  ask('batchUpdateEntry', {
    entries: [{ id: 'e5', federatesWith: ['none.test'] }],
    inputMask: { federatesWith: true },
  }),
  ask('batchUpdateEntry', { entries: [{ id: 'e5', spiffeId: id('/spire') }], inputMask: { spiffeId: true } }),
  ask('batchUpdateEntry', {
    entries: [
      { id: 'e5', hint: 'one' },
      { id: 'none', hint: 'two' },
      { id: 'e2', hint: 'three' },
    ],
    inputMask: { hint: true },
    outputMask: { hint: true, revisionNumber: true },
  }),
];

const match = (selectors: readonly object[], how: number) => ({ filter: { bySelectors: { selectors, match: how } } });
const federation = (trustDomains: readonly string[], how: number) => ({
  filter: { byFederatesWith: { trustDomains, match: how } },
});

const filters: readonly object[] = [
  {},
  { filter: {} },
  { filter: { bySpiffeId: id('/two') } },
  { filter: { bySpiffeId: id('/none') } },
  { filter: { bySpiffeId: id('/a', 'other.test') } },
  { filter: { byParentId: id('/parent') } },
  { filter: { byParentId: id('/spire/server') } },
  { filter: { byHint: 'h' } },
  { filter: { byHint: '' } },
  { filter: { byDownstream: true } },
  { filter: { byDownstream: false } },
  ...[0, 1, 2, 3].flatMap((how) => [
    match([unix('uid:1')], how),
    match([unix('uid:2'), unix('uid:1')], how),
    match([unix('uid:9')], how),
    federation([td], how),
    federation([`spiffe://${td}`, 'other.test'], how),
  ]),
  match([], 0),
  match([{ type: '', value: 'x' }], 0),
  match([{ type: 'x', value: '' }], 2),
  federation([], 0),
  { filter: { bySpiffeId: id('/two'), byHint: 'h' } },
];

const lists: readonly Question[] = [
  ...filters.map((filter) => ask('listEntries', filter)),
  ...filters.map((filter) => ask('countEntries', filter)),
  ask('listEntries', { filter: { bySpiffeId: id('x') } }, 'the message names the rule in our words'),
  ask('listEntries', federation(['no domain'], 0), 'the message names the rule in our words'),
  ask('listEntries', { outputMask: {} }),
  ask('listEntries', { outputMask: { spiffeId: true, hint: true } }),
  ask('listEntries', { pageSize: 2 }),
  ask('listEntries', { pageSize: -1 }, 'a negative size is refused'),
  ask('listEntries', { pageSize: 2, pageToken: 'nonsense' }, 'InvalidArgument instead of Internal'),
  ask('getEntry', { id: 'e1' }),
  ask('getEntry', { id: 'e1', outputMask: { selectors: true } }),
  ask('getEntry', { id: 'e1', outputMask: {} }),
  ask('getEntry', { id: 'none' }),
  ask('getEntry', { id: '' }),
  { name: 'walking through pages of entries while others come and go', walk: pages },
];

/** The IDs seen: each that was there all the time once, whatever is added and removed meanwhile. */
async function pages(api: ServerApi): Promise<string[]> {
  const seen: string[] = [];
  for (let pageToken = '', round = 0; ; round++) {
    const page = await api.entry.listEntries({ pageSize: 3, pageToken }, { deadline: 10 });
    seen.push(...page.entries.map(({ id: entryId }: types.Entry) => entryId));
    if (round === 0) await api.entry.batchDeleteEntry({ ids: [seen[0] ?? ''] }, { deadline: 10 });
    if (round === 1) {
      const late = entry({ id: 'late', spiffeId: id('/late') });
      await api.entry.batchCreateEntry({ entries: [late] }, { deadline: 10 });
    }
    pageToken = page.nextPageToken;
    if (pageToken === '') return seen.toSorted();
  }
}

const removals: readonly Question[] = [
  ask('batchDeleteEntry', { ids: [] }),
  ask('batchDeleteEntry', { ids: ['e2', 'none', ''] }),
  ask('batchDeleteEntry', { ids: ['e5', 'e5'] }),
  ask('countEntries'),
];

export const entryQuestions: readonly Question[] = [...creations, ...updates, ...lists, ...removals];
