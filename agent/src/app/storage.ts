import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, ensureDir, writeFileAtomic } from '@steeple/daemon';
import { type Certificate, parseCertificate, parseJson } from '@steeple/spiffe';

/** What the agent remembers of itself between two runs. Keys are not here but with the key manager. */
export interface StoredAgent {
  /** Leaf first; empty if there is none. */
  readonly svid: readonly Certificate[];
  /** The X.509 authorities of the own trust domain; empty if there are none. */
  readonly bundle: readonly Certificate[];
  readonly reattestable: boolean;
}

const NOTHING: StoredAgent = { svid: [], bundle: [], reattestable: false };
const LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 8 };

/** `agent-data.json` in the data directory, in the form that SPIRE's agent writes. */
export class Storage {
  readonly #path: string;
  readonly #dir: string;
  #stored: StoredAgent = NOTHING;
  #writing: Promise<void> = Promise.resolve();

  constructor(dataDir: string) {
    this.#dir = dataDir;
    this.#path = join(dataDir, 'agent-data.json');
  }

  /**
   * What an earlier run left; nothing if there was none.
   *
   * @throws {ConfigError} if the file is damaged. It is left as it is: what it held may still be wanted.
   */
  async load(): Promise<StoredAgent> {
    await ensureDir(this.#dir, 0o700);
    const text = await readIfThere(this.#path);
    if (text !== undefined) this.#stored = this.#parse(text);
    return this.#stored;
  }

  saveSvid(svid: readonly Certificate[], reattestable: boolean): Promise<void> {
    return this.#save({ svid, reattestable });
  }

  async saveBundle(bundle: readonly Certificate[]): Promise<void> {
    if (!sameCertificates(bundle, this.#stored.bundle)) await this.#save({ bundle });
  }

  /** Forgets the own SVID, for good. */
  forgetSvid(): Promise<void> {
    return this.#save({ svid: [], reattestable: false });
  }

  #save(parts: Partial<StoredAgent>): Promise<void> {
    // One after the other, each with the newest state, so that the file ends with the last one.
    this.#stored = { ...this.#stored, ...parts };
    this.#writing = this.#writing
      .catch(() => {})
      .then(() => writeFileAtomic(this.#path, format(this.#stored), { mode: 0o600 }));
    return this.#writing;
  }

  #parse(text: string): StoredAgent {
    try {
      const value = parseJson(text, LIMITS);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is no JSON object');
      const { svid, bundle, reattestable } = value as Readonly<Record<string, unknown>>;
      return { svid: readCertificates(svid), bundle: readCertificates(bundle), reattestable: reattestable === true };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `cannot be read (${reason}); restore it, or remove it and let the agent attest again`;
      throw new ConfigError([{ path: 'agent.data_dir', file: this.#path, message }], { cause });
    }
  }
}

function format({ svid, bundle, reattestable }: StoredAgent): string {
  const base64 = (certificates: readonly Certificate[]) =>
    certificates.map(({ raw }) => Buffer.from(raw).toString('base64'));
  return JSON.stringify({ svid: base64(svid), bundle: base64(bundle), reattestable });
}

function readCertificates(value: unknown): readonly Certificate[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error('a list of certificates is none');
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw new Error('a certificate is no text');
    return parseCertificate(Buffer.from(item, 'base64'));
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError([{ path: 'agent.data_dir', file: path, message: 'cannot be read' }], { cause: error });
  }
}

function sameCertificates(a: readonly Certificate[], b: readonly Certificate[]): boolean {
  return (
    a.length === b.length && a.every(({ raw }, index) => Buffer.compare(raw, b[index]?.raw ?? new Uint8Array()) === 0)
  );
}
