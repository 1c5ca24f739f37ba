import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@steeple/daemon';
import { afterAll, describe, expect, it } from 'vitest';
import { anEntry } from '../contract-samples.ts';
import { datastoreContract } from '../datastore.contract.ts';
import { SqliteDatastore } from './sqlite-datastore.ts';

const directory = mkdtempSync(join(tmpdir(), 'steeple-sqlite-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;
const newPath = () => join(directory, `${++count}.sqlite3`);

describe('datastore in a file', () => {
  datastoreContract(async () => SqliteDatastore.open(newPath(), silentLogger));

  it('is the same after it was closed and opened', async () => {
    const path = newPath();
    {
      await using store = SqliteDatastore.open(path, silentLogger);
      await store.entries.create([anEntry('a'), anEntry('b')]);
      await store.entries.delete(['b']);
      await store.joinTokens.create({ token: 't', expiresAt: 10 });
    }
    await using store = SqliteDatastore.open(path, silentLogger);
    expect((await store.entries.list()).items).toEqual([anEntry('a')]);
    expect(await store.joinTokens.consume('t', 0)).toBe('ok');
  });

  it('takes 10,000 entries as one batch', async () => {
    await using store = SqliteDatastore.open(newPath(), silentLogger);
    const entries = Array.from({ length: 10_000 }, (_, n) =>
      anEntry(`e${n}`, {
        selectors: [
          { type: 'unix', value: `uid:${n}` },
          { type: 'k8s', value: 'ns:a' },
        ],
      }),
    );
    const results = await store.entries.create(entries);
    expect(results.every(({ existed, error }) => !existed && error === undefined)).toBe(true);
    expect(await store.entries.count()).toBe(10_000);
    expect((await store.entries.list()).items.at(-1)?.id).toBe('e9999');
  });
});
