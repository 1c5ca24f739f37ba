import { z } from 'zod';
import type { PluginDefinition } from '../plugin.ts';
import { IN_MEMORY } from './sqlite/open.ts';
import { SqliteDatastore } from './sqlite/sqlite-datastore.ts';

const schema = z.strictObject({});

/** The SQLite datastore without a file: for tests and demonstrations, forgotten at the end of the process. */
export const memoryDatastore: PluginDefinition<'datastore', z.infer<typeof schema>> = {
  kind: 'datastore',
  name: 'memory',
  schema,
  create: async (_config, { logger }) => SqliteDatastore.open(IN_MEMORY, logger),
};
