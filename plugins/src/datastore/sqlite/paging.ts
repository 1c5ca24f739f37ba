import { IssuerError } from '@steeple/core';
import type { Page, PageRequest } from '../page.ts';

const EVERYTHING: PageRequest = { size: 0, token: '' };
const ROW_NUMBER = /^[1-9][0-9]{0,15}$/;

/** Where a page starts and how many rows to read: one more than asked for, to know whether another page follows. */
export interface PageWindow {
  readonly after: number;
  /** -1 = no limit, as SQLite has it. */
  readonly limit: number;
}

/** @throws {IssuerError} `invalid-argument` for a size or token that no client can have got from us. */
export function pageWindow(page: PageRequest = EVERYTHING): PageWindow {
  if (!Number.isSafeInteger(page.size) || page.size < 0) {
    throw new IssuerError('invalid-argument', 'page size must be a whole number, 0 or more');
  }
  if (page.token !== '' && !(ROW_NUMBER.test(page.token) && Number.isSafeInteger(Number(page.token)))) {
    throw new IssuerError('invalid-argument', 'malformed page token');
  }
  return { after: Number(page.token), limit: page.size === 0 ? -1 : page.size + 1 };
}

/** The rows of the page itself, and the token of the next one. */
export function cutPage<Row extends { readonly row: number }, T>(
  rows: readonly Row[],
  { limit }: PageWindow,
  convert: (rows: readonly Row[]) => readonly T[],
): Page<T> {
  if (limit === -1 || rows.length < limit) return { items: convert(rows), nextToken: '' };
  const kept = rows.slice(0, limit - 1);
  return { items: convert(kept), nextToken: String(kept.at(-1)?.row) };
}
