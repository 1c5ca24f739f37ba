/** Bounds on what a caller may store. SPIRE has none for most of these, and stores megabytes. */
export const LIMITS = Object.freeze({
  entryIdCharacters: 255,
  hintBytes: 1024,
  selectorTypeBytes: 255,
  /** Twice the longest Linux path, because `unix:path` is the longest honest value. */
  selectorValueBytes: 8192,
  selectorsPerEntry: 1000,
  dnsNamesPerEntry: 1000,
  federatedTrustDomainsPerEntry: 1000,
  spiffeIdBytes: 2048,
  /** The wire carries lifetimes as 32-bit numbers. */
  ttlSeconds: 2 ** 31 - 1,
  joinTokenBytes: 255,
  agentVersionCharacters: 255,
});
