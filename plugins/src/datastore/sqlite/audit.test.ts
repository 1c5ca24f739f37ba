import { MemoryLogger } from '@steeple/test-kit';
import { expect, it } from 'vitest';
import { appendLeaves, SqliteAudit } from './audit.ts';
import { Database } from './database.ts';
import { IN_MEMORY, openConnection } from './open.ts';

const leaf = (text: string) => Buffer.from(text);
const opened = () => {
  const db = new Database(openConnection(IN_MEMORY), new MemoryLogger());
  return { db, audit: new SqliteAudit(db) };
};

it('has no leaf of what was not done', async () => {
  const { db, audit } = opened();
  await audit.append([leaf('first')]);
  const before = await audit.edge();
  const undone = db.write(() => {
    appendLeaves(db, [leaf('second'), leaf('third')]);
    throw new Error('it was not done after all');
  });
  const done = db.write(() => appendLeaves(db, [leaf('other')]));
  await expect(undone).rejects.toThrow('not done');
  expect(await done).toBe(1);
  expect(before.size).toBe(1);
  expect((await audit.entries(0, 9)).map(String)).toEqual(['first', 'other']);
});

it('takes no leaf on an edge that is damaged', async () => {
  const { db, audit } = opened();
  await audit.append([leaf('first')]);
  await db.write(() => db.run('UPDATE audit_log SET size = 3'));
  await expect(audit.append([leaf('second')])).rejects.toMatchObject({ code: 'internal' });
  await db.write(() => db.run('DELETE FROM audit_log'));
  await expect(audit.edge()).rejects.toMatchObject({ code: 'internal' });
});

it('takes no second leaf in the place of one', async () => {
  const { db, audit } = opened();
  await audit.append([leaf('first'), leaf('second')]);
  await db.write(() => db.run("UPDATE audit_log SET size = 0, edge = x''"));
  await expect(audit.append([leaf('another')])).rejects.toMatchObject({ code: 'internal' });
  expect((await audit.entries(0, 9)).map(String)).toEqual(['first', 'second']);
});
