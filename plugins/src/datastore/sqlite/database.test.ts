import { silentLogger } from '@steeple/daemon';
import Sqlite from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { anEntry } from '../contract-samples.ts';
import type { StoreChange } from '../datastore.ts';
import { Database } from './database.ts';

const open: Database[] = [];
afterEach(() => {
  for (const db of open.splice(0)) db.close();
});

/** A table of unique numbers, and how many commits it took. */
function numbers() {
  const statements: string[] = [];
  const connection = new Sqlite(':memory:', { verbose: (sql) => statements.push(String(sql)) });
  connection.exec(`CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT`);
  const db = new Database(connection, silentLogger);
  open.push(db);
  const add = (n: number) => db.write(() => db.run('INSERT INTO numbers VALUES (?)', [n]));
  const all = () => db.all<{ n: number }>('SELECT n FROM numbers ORDER BY n').map(({ n }) => n);
  const commits = () => statements.filter((sql) => sql === 'COMMIT').length;
  return { db, add, all, commits };
}

describe('Database.write', () => {
  it('commits together what comes together, up to a limit', async () => {
    const { add, all, commits } = numbers();
    await Promise.all(Array.from({ length: 450 }, (_, n) => add(n)));
    expect(all()).toHaveLength(450);
    expect(commits()).toBe(3);
    await add(1000);
    expect(commits()).toBe(4);
  });

  it('takes back what failed and nothing else', async () => {
    const { db, add, all } = numbers();
    const wrong = db.write(() => {
      db.run('INSERT INTO numbers VALUES (7)');
      throw new RangeError('no');
    });
    const outcomes = await Promise.allSettled([add(1), wrong, add(1), add(2)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    await expect(wrong).rejects.toThrow(RangeError);
    expect(all()).toEqual([1, 2]);
  });

  it('fails everybody when the transaction itself does, and goes on afterwards', async () => {
    const { db, add, all } = numbers();
    const full = () => db.write(() => db.run('INSERT OR ROLLBACK INTO numbers VALUES (1)'));
    const outcomes = await Promise.allSettled([add(1), full(), add(2)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(all()).toEqual([]);
    await add(3);
    expect(all()).toEqual([3]);
  });

  it('tells listeners before those who wait, and of nothing that was taken back', async () => {
    const { db } = numbers();
    const heard: string[] = [];
    db.watch(({ entries }: StoreChange) => heard.push(...entries.put.map(({ id }) => id)));
    const put = (id: string, fails = false) =>
      db.write((changes) => {
        changes.putEntry(anEntry(id));
        if (fails) throw new Error('no');
      });
    const first = put('a').then(() => heard.push('after a'));
    await Promise.allSettled([first, put('b', true), put('c')]);
    expect(heard.filter((id) => id !== 'after a')).toEqual(['a', 'c']);
    expect(heard.indexOf('a')).toBeLessThan(heard.indexOf('after a'));
  });

  it('finishes what waits when it is closed, and refuses what comes later', async () => {
    const { db, add } = numbers();
    const waiting = [add(1), add(2)];
    db.close();
    await Promise.all(waiting);
    expect(() => db.write(() => 1)).toThrow(/closed/);
  });
});
