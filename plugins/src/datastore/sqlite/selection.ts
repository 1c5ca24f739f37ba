import type { Page, PageRequest } from '../page.ts';
import type { Conditions } from './conditions.ts';
import type { Database } from './database.ts';
import { cutPage, pageWindow } from './paging.ts';

/** A page of a table's rows for which the conditions hold, in the order of their creation. */
export function listRows<Row extends { readonly row: number }, T>(
  db: Database,
  from: { readonly table: string; readonly where: Conditions; readonly page: PageRequest | undefined },
  convert: (rows: readonly Row[]) => readonly T[],
): Page<T> {
  const { table, where } = from;
  const window = pageWindow(from.page);
  const rows = db.all<Row>(`SELECT * FROM ${table} WHERE row > @after AND ${where} ORDER BY row LIMIT @limit`, {
    ...where.parameters,
    after: window.after,
    limit: window.limit,
  });
  return cutPage(rows, window, convert);
}

/** How many rows of a table there are for which the conditions hold. */
export function countRows(db: Database, table: string, where: Conditions): number {
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE ${where}`, where.parameters)?.n ?? 0;
}
