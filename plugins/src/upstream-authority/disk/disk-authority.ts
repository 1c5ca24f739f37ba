import { IssuerError, LIFETIMES, type UpstreamTrust } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import { type Certificate, readCsr, SpiffeError, type TrustDomain } from '@steeple/spiffe';
import type { MintedCa, UpstreamAuthority } from '../upstream-authority.ts';
import { type CaFilePaths, type CaFiles, readCaFiles } from './ca-files.ts';

export interface DiskAuthorityParts {
  readonly paths: CaFilePaths;
  readonly trustDomain: TrustDomain;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: (count: number) => Uint8Array;
}

/** Seconds between two looks at the files. */
const LOOK_EVERY = 5;

/**
 * A CA in files of this machine. The files are read again before each use; while they are broken, as in the middle of
 * being replaced, what was last good is used.
 */
export class DiskAuthority implements UpstreamAuthority {
  readonly #parts: DiskAuthorityParts;
  #files: CaFiles;
  #complaint = '';

  /** @throws {ConfigError} if the files cannot be used */
  static async open(parts: DiskAuthorityParts): Promise<DiskAuthority> {
    return new DiskAuthority(parts, await readCaFiles(parts.paths, parts.clock.now()));
  }

  private constructor(parts: DiskAuthorityParts, files: CaFiles) {
    this.#parts = parts;
    this.#files = files;
  }

  async mintX509Ca(csr: Uint8Array, ttl: number): Promise<MintedCa> {
    const { issuer, roots } = await this.#reload();
    const { clock, random, trustDomain } = this.#parts;
    const { spki, subject } = readRequest(csr, trustDomain);
    const now = Math.floor(clock.now());
    const certificate = await issuer
      .issueCa({
        id: trustDomain,
        spki,
        subject,
        notBefore: now - LIFETIMES.backdate,
        notAfter: now + ttl,
        serial: random(16),
      })
      .catch((cause: unknown) => {
        throw new IssuerError('internal', `unable to sign CSR: ${(cause as Error).message}`, { cause });
      });
    return { chain: [certificate, ...issuer.chain], roots: roots.map(trusted) };
  }

  async publishKey(): Promise<never> {
    throw new IssuerError('unimplemented', 'publishing upstream is unsupported');
  }

  async *watch(signal: AbortSignal): AsyncGenerator<UpstreamTrust, void, undefined> {
    let told = '';
    while (!signal.aborted) {
      const { roots } = await this.#reload();
      const now = roots.map(({ raw }) => Buffer.from(raw).toString('base64')).join();
      if (now !== told) yield { x509: roots.map(trusted) };
      told = now;
      await this.#parts.clock.sleep(LOOK_EVERY, signal).catch(() => undefined);
    }
  }

  async close(): Promise<void> {}

  async #reload(): Promise<CaFiles> {
    const { paths, clock, logger } = this.#parts;
    try {
      const files = await readCaFiles(paths, clock.now());
      if (files.text !== this.#files.text) logger.info('The upstream CA was read again from its files');
      this.#files = files;
      this.#complaint = '';
    } catch (error) {
      const complaint = String(error);
      if (complaint !== this.#complaint) {
        logger.error('The files of the upstream CA cannot be used; going on with what they held before', { error });
      }
      this.#complaint = complaint;
    }
    return this.#files;
  }
}

function readRequest(der: Uint8Array, { id }: TrustDomain) {
  try {
    const csr = readCsr(der);
    if (csr.uriSans.length === 1 && csr.uriSans[0] === id) return csr;
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw new IssuerError('invalid-argument', `unable to sign CSR: ${cause.message}`, { cause });
  }
  throw new IssuerError('invalid-argument', `unable to sign CSR: its URI has to be ${id}`);
}

const trusted = (certificate: Certificate) => ({ certificate, tainted: false });
