import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateAndKey, ensureDir, writeFileAtomic } from '@steeple/daemon';
import { AcmeKey } from './acme-key.ts';

/** Seconds since 1970 between which a certificate is good. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Account key and certificate in a folder of the data directory, so that a restart asks for nothing anew. */
export class AcmeStore {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async open(dataDir: string): Promise<AcmeStore> {
    const dir = join(dataDir, 'bundle-acme');
    await ensureDir(dir, 0o700);
    return new AcmeStore(dir);
  }

  /** The account's key; made at the first call. */
  async account(): Promise<AcmeKey> {
    const path = join(this.#dir, 'account.pem');
    const stored = await readIfThere(path);
    if (stored !== undefined) return AcmeKey.fromPem(stored);
    const key = new AcmeKey();
    await writeFileAtomic(path, key.toPem());
    return key;
  }

  /** The certificate for the name, if there is one with its key. */
  async certificate(domainName: string): Promise<(CertificateAndKey & Validity) | undefined> {
    const stored = await readIfThere(join(this.#dir, 'certificate.pem'));
    if (stored === undefined) return undefined;
    try {
      const pair = { cert: certificateIn(stored), key: stored };
      return isGoodFor(pair, domainName) ? { ...pair, ...validityOf(stored) } : undefined;
    } catch {
      return undefined;
    }
  }

  /** One file, so that key and chain never part. */
  async save({ cert, key }: CertificateAndKey): Promise<CertificateAndKey & Validity> {
    const text = `${key.trimEnd()}\n${cert}`;
    await writeFileAtomic(join(this.#dir, 'certificate.pem'), text);
    return { cert, key, ...validityOf(cert) };
  }
}

/** Whether the certificate is for the name and the key. @throws Error if one of them cannot be read */
export const isGoodFor = ({ cert, key }: CertificateAndKey, domainName: string): boolean => {
  const leaf = new X509Certificate(cert);
  return leaf.checkHost(domainName) !== undefined && leaf.checkPrivateKey(createPrivateKey(key));
};

const validityOf = (pem: string): Validity => {
  const { validFromDate, validToDate } = new X509Certificate(certificateIn(pem));
  return { notBefore: validFromDate.getTime() / 1000, notAfter: validToDate.getTime() / 1000 };
};

const certificateIn = (pem: string): string => pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----'));

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};
