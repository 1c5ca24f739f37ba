// SVIDs straight from the server, without an agent.
import type { Flag, Noun } from '../verb.ts';
import { admin } from './common-flags.ts';

const idFlag: Flag = { flags: '--spiffe-id <id>', help: 'whose identity', required: true };
const ttlFlag: Flag = { flags: '--ttl <time>', help: "its life; the server's default when absent" };
const writeFlag: Flag = { flags: '--write <folder>', help: 'write files (0600) instead of printing keys' };

export const x509Noun: Noun = {
  name: 'x509',
  summary: 'X509-SVIDs from the server',
  verbs: [
    {
      name: 'mint',
      summary: 'make a key here and have its certificate issued',
      flags: [
        idFlag,
        ttlFlag,
        { flags: '--dns <name>', help: 'a DNS name for the certificate', list: true },
        writeFlag,
        ...admin,
      ],
      load: async () => (await import('../commands/x509/mint.ts')).run,
    },
  ],
};

export const jwtNoun: Noun = {
  name: 'jwt',
  summary: 'JWT-SVIDs from the server',
  verbs: [
    {
      name: 'mint',
      summary: 'have a token issued',
      flags: [
        idFlag,
        { flags: '--audience <name>', help: 'who is to accept it', list: true, required: true },
        ttlFlag,
        ...admin,
      ],
      load: async () => (await import('../commands/jwt/mint.ts')).run,
    },
  ],
};

export const witNoun: Noun = {
  name: 'wit',
  summary: 'WIT-SVIDs from the server',
  verbs: [
    {
      name: 'mint',
      summary: 'make a key here and have a token issued that is bound to it',
      flags: [idFlag, ttlFlag, writeFlag, ...admin],
      load: async () => (await import('../commands/wit/mint.ts')).run,
    },
  ],
};
