import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, ensureDir, writeFileAtomic } from '@steeple/daemon';
import { type Certificate, parseCertificate, parseCertificatesPem, parseJson, toPem } from '@steeple/spiffe';

/** What the agent remembers of itself between two runs. Keys are not here but with the key manager. */
export interface StoredAgent {
  /** Leaf first; empty if there is none. */
  readonly svid: readonly Certificate[];
  /** The X.509 authorities of the own trust domain; empty if there are none. */
  readonly bundle: readonly Certificate[];
  readonly reattestable: boolean;
  /** How the attempts to trust the server anew go; undefined while there are none. */
  readonly attempts: TrustAttempts | undefined;
}

/** Attempts to get a bundle under which the server is trusted. */
export interface TrustAttempts {
  /** Unix seconds of the first sign of trouble. */
  readonly since: number;
  readonly count: number;
}

const NOTHING: StoredAgent = { svid: [], bundle: [], reattestable: false, attempts: undefined };
/** SPIRE's numbers for how the bundle that is sought will be used. */
const BOOTSTRAP = 1;
const REBOOTSTRAP = 2;
/** Go's way to say that there is no instant. */
const NEVER = '0001-01-01T00:00:00Z';
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

  /** Notes attempts, or that they are over. */
  async saveAttempts(attempts: TrustAttempts | undefined): Promise<void> {
    if (attempts !== undefined || this.#stored.attempts !== undefined) await this.#save({ attempts });
  }

  get attempts(): TrustAttempts | undefined {
    return this.#stored.attempts;
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
      const stored = value as Readonly<Record<string, unknown>>;
      return {
        svid: readCertificates(stored['svid']),
        bundle: readCertificates(stored['bundle']),
        reattestable: stored['reattestable'] === true,
        attempts: readAttempts(stored),
      };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `cannot be read (${reason}); restore it, or remove it and let the agent attest again`;
      throw new ConfigError([{ path: 'agent.data_dir', file: this.#path, message }], { cause });
    }
  }
}

function format({ svid, bundle, reattestable, attempts }: StoredAgent): string {
  const base64 = (certificates: readonly Certificate[]) =>
    certificates.map(({ raw }) => Buffer.from(toPem('CERTIFICATE', raw)).toString('base64'));
  return JSON.stringify({
    svid: base64(svid),
    bundle: base64(bundle),
    reattestable,
    bootstrap_use: bundle.length === 0 ? BOOTSTRAP : REBOOTSTRAP,
    bootstrap_start_time: attempts === undefined ? NEVER : new Date(attempts.since * 1000).toISOString(),
    connection_attempts: attempts?.count ?? 0,
  });
}

/** Base64 of PEM, as SPIRE has it, or of DER. */
function readCertificates(value: unknown): readonly Certificate[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error('a list of certificates is none');
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw new Error('a certificate is no text');
    const bytes = Buffer.from(item, 'base64');
    if (!bytes.toString('latin1').trimStart().startsWith('-----BEGIN')) return parseCertificate(bytes);
    const [certificate, ...more] = parseCertificatesPem(bytes.toString('latin1'));
    if (certificate === undefined || more.length > 0) throw new Error('a certificate is not one');
    return certificate;
  });
}

function readAttempts(stored: Readonly<Record<string, unknown>>): TrustAttempts | undefined {
  const { bootstrap_start_time: start, connection_attempts: count } = stored;
  const since = typeof start === 'string' ? Date.parse(start) / 1000 : Number.NaN;
  if (!(since > 0)) return undefined;
  return { since, count: typeof count === 'number' ? count : 0 };
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
