/** Which part of a list is wanted. */
export interface PageRequest {
  /** At most so many items; 0 means everything in one page. */
  readonly size: number;
  /** Empty for the first page, else `nextToken` of the page before. */
  readonly token: string;
}

/**
 * One part of a list. Items come in the order of their creation, which later changes never alter: while pages are
 * read, inserted items may appear on a later page, removed ones do not, and no other item is skipped or repeated.
 */
export interface Page<T> {
  readonly items: readonly T[];
  /** Empty after the last page. Opaque; a token made up by a client is an IssuerError `invalid-argument`. */
  readonly nextToken: string;
}
