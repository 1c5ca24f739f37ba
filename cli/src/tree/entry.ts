import type { Flag, Noun } from '../verb.ts';
import { admin, watchFlag } from './common-flags.ts';

const selectorFlag: Flag = {
  flags: '--selector <type:value>',
  help: 'a trait of the process, such as unix:uid:1000',
  list: true,
};

const fields: readonly Flag[] = [
  { flags: '--parent-id <id>', help: 'who may hand it out: an agent or a group; without it, the only agent' },
  { flags: '--node', help: 'a group of agents: the selectors describe nodes' },
  selectorFlag,
  { flags: '--x509-svid-ttl <time>', help: "life of X509-SVIDs; the server's default when absent" },
  { flags: '--jwt-svid-ttl <time>', help: "life of JWT-SVIDs; the server's default when absent" },
  { flags: '--dns <name>', help: 'a DNS name for the certificate', list: true },
  { flags: '--federates-with <domain>', help: 'a trust domain whose bundle the workload gets', list: true },
  { flags: '--hint <text>', help: 'how the workload tells its identities apart' },
  { flags: '--admin', help: "may call the server's administrative API" },
  { flags: '--downstream', help: 'is a server below this one' },
  { flags: '--store-svid', help: 'goes to an SVID store instead of the Workload API' },
  { flags: '--expires-at <unix seconds>', help: 'when the entry is removed' },
  { flags: '--disable-x509-svid-prefetch', help: 'issue X509-SVIDs only on demand' },
  { flags: '--jwt-svid-include-jti', help: 'give each JWT-SVID an id of its own' },
];

const filters: readonly Flag[] = [
  { flags: '--spiffe-id <id>', help: 'only this SPIFFE ID' },
  { flags: '--parent-id <id>', help: 'only this parent' },
  selectorFlag,
  { flags: '--match-selectors-on <how>', help: 'how selectors match', choices: ['exact', 'subset', 'superset', 'any'] },
  { flags: '--federates-with <domain>', help: 'only entries that federate with it', list: true },
  {
    flags: '--match-federates-with-on <how>',
    help: 'how trust domains match',
    choices: ['exact', 'subset', 'superset', 'any'],
  },
  { flags: '--hint <text>', help: 'only this hint' },
  { flags: '--downstream', help: 'only downstream entries' },
];

export const entryNoun: Noun = {
  name: 'entry',
  summary: 'which process gets which identity',
  verbs: [
    {
      name: 'create',
      summary: 'register a workload',
      flags: [
        { flags: '--spiffe-id <id>', help: 'the identity to hand out', required: true },
        { flags: '--entry-id <id>', help: 'a name for the entry; made up when absent' },
        ...fields,
        ...admin,
      ],
      load: async () => (await import('../commands/entry/create.ts')).run,
    },
    {
      name: 'update',
      summary: 'change the fields that are given, keep the others',
      args: ['<entry-id>'],
      flags: [
        { flags: '--spiffe-id <id>', help: 'the identity to hand out' },
        ...fields,
        {
          flags: '--clear <field>',
          help: 'a field to empty, by the name of its flag, such as admin or dns',
          list: true,
        },
        ...admin,
      ],
      load: async () => (await import('../commands/entry/update.ts')).run,
    },
    {
      name: 'delete',
      summary: 'remove entries; their identities go at once',
      args: ['<entry-id...>'],
      flags: admin,
      load: async () => (await import('../commands/entry/delete.ts')).run,
    },
    {
      name: 'show',
      summary: 'one entry in full',
      args: ['<entry-id>'],
      flags: admin,
      load: async () => (await import('../commands/entry/show.ts')).run,
    },
    {
      name: 'list',
      summary: 'all entries, or those that match',
      flags: [...filters, watchFlag, ...admin],
      load: async () => (await import('../commands/entry/list.ts')).run,
    },
    {
      name: 'count',
      summary: 'how many entries there are',
      flags: [...filters, ...admin],
      load: async () => (await import('../commands/entry/count.ts')).run,
    },
  ],
};
