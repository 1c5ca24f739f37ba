import type { Noun } from '../verb.ts';
import { configFlag, expandEnvFlag, serverSocketFlag } from './common-flags.ts';

export const serverNoun: Noun = {
  name: 'server',
  summary: 'run a server',
  verbs: [
    {
      name: 'run',
      summary: 'issue identities for a trust domain',
      flags: [
        configFlag,
        expandEnvFlag,
        {
          flags: '--log-level <level>',
          help: 'overrides the file',
          choices: ['error', 'warn', 'info', 'debug', 'trace'],
        },
      ],
      load: async () => (await import('../commands/server/run.ts')).run,
    },
    {
      name: 'validate',
      summary: 'check a configuration file',
      flags: [configFlag, expandEnvFlag],
      load: async () => (await import('../commands/server/validate.ts')).run,
    },
    {
      name: 'healthcheck',
      summary: 'does the server serve?',
      flags: [serverSocketFlag],
      load: async () => (await import('../commands/server/healthcheck.ts')).run,
    },
  ],
};
