// Relationships to other trust domains.
import type { Flag, Noun } from '../verb.ts';
import { admin, outputFlag, serverSocketFlag } from './common-flags.ts';

const endpoint: readonly Flag[] = [
  { flags: '--endpoint-url <url>', help: 'where the other trust domain publishes its bundle' },
  {
    flags: '--profile <profile>',
    help: 'how the endpoint proves itself: by a SPIFFE ID or as a web server',
    choices: ['https_spiffe', 'https_web'],
  },
  { flags: '--endpoint-spiffe-id <id>', help: 'for https_spiffe; the server of that trust domain when absent' },
];

const firstBundle: readonly Flag[] = [
  { flags: '--bundle-path <file>', help: 'its first bundle, from a file' },
  { flags: '--bundle-format <format>', help: 'of that file; found out when absent', choices: ['pem', 'spiffe'] },
  { flags: '--bundle-url <url>', help: 'its first bundle, from a web server that this machine trusts' },
  {
    flags: '--bundle-pin <sha256>',
    help: 'its first bundle, from the endpoint: the fingerprint of its root certificate',
  },
];

const one = ['<trust-domain>'];

export const federationNoun: Noun = {
  name: 'federation',
  summary: 'follow the bundles of other trust domains',
  verbs: [
    {
      name: 'create',
      summary: 'follow another trust domain from now on',
      args: one,
      flags: [
        ...endpoint.map((flag, index) => (index === 0 ? { ...flag, required: true } : flag)),
        ...firstBundle,
        ...admin,
      ],
      load: async () => (await import('../commands/federation/create.ts')).run,
    },
    {
      name: 'update',
      summary: 'change where or how another trust domain is followed',
      args: one,
      flags: [...endpoint, ...firstBundle, ...admin],
      load: async () => (await import('../commands/federation/update.ts')).run,
    },
    {
      name: 'delete',
      summary: 'follow another trust domain no more; its bundle stays unless asked for',
      args: one,
      flags: [
        {
          flags: '--with-bundle',
          help: 'delete its bundle too and take it out of entries: its members are trusted no more',
        },
        serverSocketFlag,
        outputFlag,
      ],
      load: async () => (await import('../commands/federation/delete.ts')).run,
    },
    {
      name: 'show',
      summary: 'one relationship with its bundle',
      args: one,
      flags: admin,
      load: async () => (await import('../commands/federation/show.ts')).run,
    },
    {
      name: 'list',
      summary: 'the relationships made with create; those in the configuration file are not shown',
      flags: admin,
      load: async () => (await import('../commands/federation/list.ts')).run,
    },
    {
      name: 'refresh',
      summary: 'fetch the bundle of another trust domain now',
      args: one,
      flags: admin,
      load: async () => (await import('../commands/federation/refresh.ts')).run,
    },
  ],
};
