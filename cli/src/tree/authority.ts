// The authorities that sign, of this server and above it.
import type { Noun } from '../verb.ts';
import { admin, watchFlag } from './common-flags.ts';

const kind = '<x509|jwt|wit>';

export const authorityNoun: Noun = {
  name: 'authority',
  summary: 'the keys that this server signs with, and their replacement',
  verbs: [
    {
      name: 'show',
      summary: 'which authorities sign, are next, and were before',
      args: ['[x509|jwt|wit]'],
      flags: [watchFlag, ...admin],
      load: async () => (await import('../commands/authority/show.ts')).run,
    },
    {
      name: 'prepare',
      summary: 'make the next authority known; it does not sign yet',
      args: [kind],
      flags: admin,
      load: async () => (await import('../commands/authority/prepare.ts')).run,
    },
    {
      name: 'activate',
      summary: 'let the prepared authority sign, once every live agent knows it',
      args: [kind, '[authority-id]'],
      flags: admin,
      load: async () => (await import('../commands/authority/activate.ts')).run,
    },
    {
      name: 'taint',
      summary: 'mark an old authority as compromised: agents replace what it signed at once',
      args: [kind, '<authority-id>'],
      flags: admin,
      load: async () => (await import('../commands/authority/taint.ts')).run,
    },
    {
      name: 'revoke',
      summary: 'trust a tainted authority no more',
      args: [kind, '<authority-id>'],
      flags: admin,
      load: async () => (await import('../commands/authority/revoke.ts')).run,
    },
    {
      name: 'rotate',
      summary: 'replace the authority that signs, step by step; may be stopped and started again',
      args: [kind],
      flags: [
        {
          flags: '--compromised [authority-id]',
          help: 'revoke it at the end: the one that signs now when no id is given',
        },
        { flags: '--wait <time>', help: 'for agents that do not answer; 2m when absent' },
        { flags: '--force', help: 'revoke although not every agent has answered' },
        { flags: '--dry-run', help: 'only say what would be done' },
        ...admin,
      ],
      load: async () => (await import('../commands/authority/rotate.ts')).run,
    },
  ],
};

export const upstreamNoun: Noun = {
  name: 'upstream',
  summary: 'roots above this server that are compromised',
  verbs: [
    {
      name: 'taint',
      summary: 'mark a root that signed the old authority: agents replace what is under it at once',
      args: ['<subject-key-id>'],
      flags: admin,
      load: async () => (await import('../commands/upstream/taint.ts')).run,
    },
    {
      name: 'revoke',
      summary: 'trust a tainted root above no more',
      args: ['<subject-key-id>'],
      flags: admin,
      load: async () => (await import('../commands/upstream/revoke.ts')).run,
    },
  ],
};
