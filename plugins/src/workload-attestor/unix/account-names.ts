import { readFile } from 'node:fs/promises';

/** Seconds for which a file read once is believed. */
const FRESH = 5;

/** Names of user or group numbers by one file in the form of passwd(5) or group(5). */
export class AccountNames {
  readonly #path: string;
  readonly #monotonic: () => number;
  #names: Promise<ReadonlyMap<number, string>> = Promise.resolve(new Map());
  #readAt = Number.NEGATIVE_INFINITY;

  /** `monotonic` gives seconds from any start. */
  constructor(path: string, monotonic: () => number) {
    this.#path = path;
    this.#monotonic = monotonic;
  }

  /** Undefined if the file has no name for the number, or cannot be read: a name is then no fact about anyone. */
  async nameOf(id: number): Promise<string | undefined> {
    const now = this.#monotonic();
    if (now - this.#readAt >= FRESH) {
      this.#readAt = now;
      this.#names = readFile(this.#path, 'utf8').then(parseAccounts, () => new Map());
    }
    return (await this.#names).get(id);
  }
}

/** `name:password:number:…` lines; as with getpwuid(3), the first of several names for a number counts. */
export function parseAccounts(text: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    // Lines that start with + or - are for NIS, those with # are comments.
    if (!/^[^+\-#\s]/.test(name) || !/^[0-9]{1,10}$/.test(id)) continue;
    if (!names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
