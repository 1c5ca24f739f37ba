import { IssuerError } from '@steeple/core';
import type { PageRequest } from '@steeple/plugins';

/** Reads paging; size 0 means everything in one answer. @throws {IssuerError} `invalid-argument` */
export const readPage = (request: { pageSize: number; pageToken: string }): PageRequest => {
  if (request.pageSize < 0) throw new IssuerError('invalid-argument', 'page size cannot be negative');
  // Without a size there are no pages, and SPIRE ignores a token then.
  return { size: request.pageSize, token: request.pageSize === 0 ? '' : request.pageToken };
};
