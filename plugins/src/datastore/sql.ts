import { resolve } from 'node:path';
import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { SqliteDatastore } from './sqlite/sqlite-datastore.ts';

const schema = z.strictObject({
  database_type: z.enum(['sqlite3'], { error: 'must be "sqlite3", the only database so far' }),
  /** A file name, or `file:` and a file name. */
  connection_string: z
    .string()
    .min(1, 'must name a file')
    .refine((text) => !text.includes('?'), 'must be a file name without parameters')
    .refine((text) => !text.includes(':memory:'), 'must name a file; for a store in memory use DataStore "memory"')
    .transform((text) => resolve(text.replace(/^file:(?:\/\/(?=\/))?/, ''))),
});

/** The datastore under SPIRE's name and settings. */
export const sqlDatastore: PluginDefinition<'datastore', z.infer<typeof schema>> = {
  kind: 'datastore',
  name: 'sql',
  schema,
  create: async ({ connection_string: path }, { logger }) => SqliteDatastore.open(path, logger),
};
