import type { Page, PageRequest } from '../page.ts';
import type { AgentRow } from './agent-rows.ts';
import type { Conditions } from './conditions.ts';
import type { Database } from './database.ts';
import type { EntryRow } from './entry-rows.ts';
import { cutPage, pageWindow } from './paging.ts';

/** What a row of each of these tables is. */
interface Rows {
  readonly agents: AgentRow;
  readonly entries: EntryRow;
}

/** A page of a table's rows for which the conditions hold, in the order of their creation. */
export function listRows<Table extends keyof Rows, T>(
  db: Database,
  from: { readonly table: Table; readonly where: Conditions; readonly page: PageRequest | undefined },
  convert: (rows: readonly Rows[Table][]) => readonly T[],
): Page<T> {
  const { table, where } = from;
  const window = pageWindow(from.page);
  const rows = db.all<Rows[Table]>(`SELECT * FROM ${table} WHERE row > @after AND ${where} ORDER BY row LIMIT @limit`, {
    ...where.parameters,
    after: window.after,
    limit: window.limit,
  });
  return cutPage(rows, window, convert);
}

/** How many rows of a table there are for which the conditions hold. */
export function countRows(db: Database, table: keyof Rows, where: Conditions): number {
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE ${where}`, where.parameters)?.n ?? 0;
}
