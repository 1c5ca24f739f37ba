/** Which metrics and labels are published. Lists are SPIRE's settings: allowed ones first, blocked ones then. */
export interface MetricFilterLists {
  readonly allowedPrefixes: readonly string[];
  readonly blockedPrefixes: readonly string[];
  readonly allowedLabels: readonly string[];
  readonly blockedLabels: readonly string[];
}

/** Decides once per series. */
export interface MetricFilter {
  allowsKey(key: string): boolean;
  allowsLabel(label: string): boolean;
}

/** An empty list says nothing. Of several prefixes that fit a key the longest decides, and of equal ones the ban. */
export const metricFilter = (lists: MetricFilterLists): MetricFilter => ({
  allowsKey(key) {
    const allowed = longestPrefix(lists.allowedPrefixes, key);
    const blocked = longestPrefix(lists.blockedPrefixes, key);
    if (blocked >= 0 && blocked >= allowed) return false;
    return allowed >= 0 || lists.allowedPrefixes.length === 0;
  },
  allowsLabel(label) {
    if (lists.blockedLabels.includes(label)) return false;
    return lists.allowedLabels.length === 0 || lists.allowedLabels.includes(label);
  },
});

const longestPrefix = (prefixes: readonly string[], key: string): number =>
  Math.max(-1, ...prefixes.filter((prefix) => key.startsWith(prefix)).map(({ length }) => length));
