import type { Database } from './database.ts';

/** Rows whose children are read by one query. */
const CHUNK = 1000;

/** A child table: its value column, and the column that orders the values. */
export interface ChildTable {
  readonly table: string;
  readonly column: string;
  readonly order: string;
}

/** The values of a child table by owner row, each list in its order. */
export function readMembers(db: Database, child: ChildTable, owners: readonly number[]): Map<number, string[]> {
  const values = new Map<number, string[]>(owners.map((owner) => [owner, []]));
  const sql = `SELECT owner, ${child.column} AS value FROM ${child.table}
    WHERE owner IN (SELECT value FROM json_each(?)) ORDER BY owner, ${child.order}`;
  for (let start = 0; start < owners.length; start += CHUNK) {
    const chunk = JSON.stringify(owners.slice(start, start + CHUNK));
    for (const row of db.all<{ owner: number; value: string }>(sql, [chunk])) values.get(row.owner)?.push(row.value);
  }
  return values;
}

/** Makes `values` the whole content of one owner's part of a child table. */
export function replaceMembers(db: Database, child: ChildTable, owner: number, values: readonly string[]): void {
  db.run(`DELETE FROM ${child.table} WHERE owner = ?`, [owner]);
  addMembers(db, child, owner, values);
}

/** Adds the values of an owner that has none yet. */
export function addMembers(db: Database, child: ChildTable, owner: number, values: readonly string[]): void {
  const ordered = child.order !== child.column;
  const sql = ordered
    ? `INSERT INTO ${child.table} (owner, ${child.column}, ${child.order}) VALUES (?, ?, ?)`
    : `INSERT INTO ${child.table} (owner, ${child.column}) VALUES (?, ?)`;
  for (const [position, value] of values.entries()) {
    db.run(sql, ordered ? [owner, value, position] : [owner, value]);
  }
}
