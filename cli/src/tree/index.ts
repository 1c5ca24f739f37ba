// The whole command line as one list.
import type { Noun, Verb } from '../verb.ts';
import { agentNoun } from './agent.ts';
import { apiNoun } from './api.ts';
import { applyVerb } from './apply.ts';
import { authorityNoun, upstreamNoun } from './authority.ts';
import { compatNoun } from './compat.ts';
import { entryNoun } from './entry.ts';
import { federationNoun } from './federation.ts';
import { debugVerb, loggerNoun } from './logger.ts';
import { migrateNoun } from './migrate.ts';
import { jwtNoun, witNoun, x509Noun } from './mint.ts';
import { serverNoun } from './server.ts';
import { bundleNoun, tokenNoun } from './trust.ts';

export const nouns: readonly Noun[] = [
  serverNoun,
  agentNoun,
  tokenNoun,
  entryNoun,
  bundleNoun,
  federationNoun,
  x509Noun,
  jwtNoun,
  witNoun,
  authorityNoun,
  upstreamNoun,
  apiNoun,
  loggerNoun,
  migrateNoun,
  compatNoun,
];

export const verbs: readonly Verb[] = [
  {
    name: 'dev',
    summary: 'a whole trust domain in one command, with an identity for you',
    flags: [
      { flags: '--trust-domain <name>', help: 'its name; example.org when absent' },
      { flags: '--data-dir <folder>', help: 'keep state here; a temporary folder when absent' },
      { flags: '--log-level <level>', help: 'how much to log', choices: ['error', 'warn', 'info', 'debug', 'trace'] },
    ],
    load: async () => (await import('../commands/dev/run.ts')).run,
  },
  applyVerb,
  debugVerb,
];
