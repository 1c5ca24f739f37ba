/** Accounts and regions that are remembered: strangers may have many. */
const MOST = 1000;

/** Keeps a value under its key, and lets the oldest one go when there are too many. */
export function remember<T>(map: Map<string, T>, key: string, value: T): T {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST && oldest !== undefined) map.delete(oldest);
  return value;
}
