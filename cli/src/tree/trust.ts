// Join tokens and trust bundles.
import type { Noun } from '../verb.ts';
import { admin, outputFlag, serverSocketFlag } from './common-flags.ts';

const formatFlag = {
  flags: '--format <format>',
  help: 'pem: X.509 authorities; spiffe: all keys',
  choices: ['pem', 'spiffe'],
};

const withoutWitFlag = {
  flags: '--without-wit',
  help: 'with --format spiffe: leave WIT keys out, for readers that refuse them, such as SPIRE before 1.15.3',
};

export const tokenNoun: Noun = {
  name: 'token',
  summary: 'let a new agent join',
  verbs: [
    {
      name: 'generate',
      summary: 'a token that one agent may use once',
      flags: [
        { flags: '--ttl <time>', help: 'how long it may be used; 10m when absent' },
        { flags: '--spiffe-id <id>', help: 'an extra id for the agent, to use as parent of entries' },
        ...admin,
      ],
      load: async () => (await import('../commands/token/generate.ts')).run,
    },
  ],
};

export const bundleNoun: Noun = {
  name: 'bundle',
  summary: 'the keys that a trust domain is recognised by',
  verbs: [
    {
      name: 'show',
      summary: "the server's own bundle",
      flags: [formatFlag, withoutWitFlag, ...admin],
      load: async () => (await import('../commands/bundle/show.ts')).run,
    },
    {
      name: 'list',
      summary: 'the bundles of other trust domains, or one of them',
      args: ['[trust-domain]'],
      flags: [formatFlag, withoutWitFlag, ...admin],
      load: async () => (await import('../commands/bundle/list.ts')).run,
    },
    {
      name: 'set',
      summary: "store another trust domain's bundle, from a file or standard input",
      args: ['<trust-domain>'],
      flags: [{ flags: '--path <file>', help: 'the file; standard input when absent' }, formatFlag, ...admin],
      load: async () => (await import('../commands/bundle/set.ts')).run,
    },
    {
      name: 'append',
      summary: "add authorities to the server's own bundle, such as those of a server it takes over from",
      flags: [{ flags: '--path <file>', help: 'the file; standard input when absent' }, formatFlag, ...admin],
      load: async () => (await import('../commands/bundle/append.ts')).run,
    },
    {
      name: 'delete',
      summary: "remove another trust domain's bundle",
      args: ['<trust-domain>'],
      flags: [
        {
          flags: '--mode <mode>',
          help: 'entries that federate with it: refuse, delete them too, or take the domain out of them',
          choices: ['restrict', 'delete', 'dissociate'],
        },
        serverSocketFlag,
        outputFlag,
      ],
      load: async () => (await import('../commands/bundle/delete.ts')).run,
    },
    {
      name: 'count',
      summary: 'how many bundles there are, with the own one',
      flags: admin,
      load: async () => (await import('../commands/bundle/count.ts')).run,
    },
  ],
};
