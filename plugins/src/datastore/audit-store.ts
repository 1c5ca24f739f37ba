/** The right edge of the log's tree: enough to go on, and to tell its root (see `TreeEdge` in `@steeple/core/log`). */
export interface AuditEdge {
  readonly size: number;
  /** Hashes of the full subtrees, from left to right. */
  readonly hashes: readonly Uint8Array[];
}

/**
 * The leaves of the transparency log (RFC 6962). Nothing in it is ever changed or removed, and what is to be true only
 * together with its leaf is written in the same step as the leaf.
 */
export interface AuditStore {
  /** Appends entries in this order and tells the index of the first. @throws {IssuerError} `internal`; none is there then */
  append(entries: readonly Uint8Array[]): Promise<number>;
  edge(): Promise<AuditEdge>;
  /** The entries from `start` up to, and without, `end`; fewer at the end of the log. */
  entries(start: number, end: number): Promise<readonly Uint8Array[]>;
  /** The hashes of a tile, as many as there are (C2SP tlog-tiles); none if there is no such tile. */
  tile(level: number, index: number): Promise<readonly Uint8Array[]>;
  /** The newest signed checkpoint, if there is one. */
  checkpoint(): Promise<string | undefined>;
  /** @throws {IssuerError} `failed-precondition` if one of a larger tree is there: a log never goes back */
  saveCheckpoint(note: string, size: number): Promise<void>;
}
