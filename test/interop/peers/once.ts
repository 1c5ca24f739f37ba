const under = new Map<string, Promise<string>>();

/** What is had once, however many cases want it at the same time. */
export function once(name: string, get: () => Promise<string>): Promise<string> {
  const path = under.get(name) ?? get();
  under.set(name, path);
  return path;
}
