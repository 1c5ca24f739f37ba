import type { Noun } from '../verb.ts';
import { outputFlag } from './common-flags.ts';

export const migrateNoun: Noun = {
  name: 'migrate',
  summary: 'take over from another server',
  verbs: [
    {
      name: 'from-spire',
      summary: 'copy entries, federation relationships and bundles from a running server; may be repeated',
      flags: [
        { flags: '--from <socket>', help: "the old server's administrative socket", required: true },
        { flags: '--to <socket>', help: "the new server's administrative socket", required: true },
        { flags: '--dry-run', help: 'only show what would be done' },
        { flags: '--yes', help: 'do not ask' },
        {
          flags: '--trust-issued',
          help: 'also trust what the old server signed: its authorities join the bundle of the new one',
        },
        outputFlag,
      ],
      load: async () => (await import('../commands/migrate/from-spire.ts')).run,
    },
  ],
};
