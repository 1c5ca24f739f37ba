import type { Flag, Noun } from '../verb.ts';
import { outputFlag, workload, workloadSocketFlag } from './common-flags.ts';

const idFlag: Flag = { flags: '--spiffe-id <id>', help: 'only this one of my identities' };

export const apiNoun: Noun = {
  name: 'api',
  summary: 'be a workload: what does this process get?',
  verbs: [
    {
      name: 'watch',
      summary: 'every update of my X509-SVIDs, until interrupted',
      flags: [workloadSocketFlag, outputFlag],
      load: async () => (await import('../commands/api/watch.ts')).run,
    },
  ],
  nouns: [
    {
      name: 'fetch',
      summary: 'fetch my SVIDs',
      verbs: [
        {
          name: 'x509',
          summary: 'my X509-SVIDs',
          flags: [
            { flags: '--write <folder>', help: 'write certificates, keys and bundles as PEM files' },
            ...workload,
          ],
          load: async () => (await import('../commands/api/fetch-x509.ts')).run,
        },
        {
          name: 'jwt',
          summary: 'a JWT-SVID for an audience',
          flags: [
            { flags: '--audience <name>', help: 'who is to accept it', list: true, required: true },
            idFlag,
            ...workload,
          ],
          load: async () => (await import('../commands/api/fetch-jwt.ts')).run,
        },
        {
          name: 'wit',
          summary: 'my WIT-SVIDs',
          flags: [idFlag, ...workload],
          load: async () => (await import('../commands/api/fetch-wit.ts')).run,
        },
      ],
    },
    {
      name: 'validate',
      summary: 'validate a token',
      verbs: [
        {
          name: 'jwt',
          summary: 'is this JWT-SVID good for this audience?',
          args: ['<token>'],
          flags: [{ flags: '--audience <name>', help: 'the audience to expect', required: true }, ...workload],
          load: async () => (await import('../commands/api/validate-jwt.ts')).run,
        },
      ],
    },
  ],
};
