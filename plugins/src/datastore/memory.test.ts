import { silentLogger } from '@steeple/daemon';
import { describe } from 'vitest';
import { datastoreContract } from './datastore.contract.ts';
import { IN_MEMORY } from './sqlite/open.ts';
import { SqliteDatastore } from './sqlite/sqlite-datastore.ts';

describe('datastore in memory', () => {
  datastoreContract(async () => SqliteDatastore.open(IN_MEMORY, silentLogger));
});
