import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from './clock.ts';
import { ConfigError } from './config-error.ts';
import { reasonOf } from './files.ts';
import type { Logger } from './logger.ts';

/** A certificate chain and its key, both PEM, as `node:tls` takes them. */
export interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateFilesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** The settings to name when the files are not good. */
  readonly settings: { readonly cert: string; readonly key: string };
}

/**
 * A certificate and key that somebody else keeps fresh in two files.
 *
 * 1. What is in use always fits together: a pair that is half written, unreadable or does not match is logged and the
 *    earlier pair stays.
 * 2. The contents are compared, not times, so a file that was moved into place is noticed too.
 */
export class CertificateFiles {
  readonly #options: CertificateFilesOptions;
  readonly #logger: Logger;
  readonly #onChange: (pair: CertificateAndKey) => void;
  #current: CertificateAndKey;

  private constructor(
    options: CertificateFilesOptions,
    first: CertificateAndKey,
    logger: Logger,
    onChange: (pair: CertificateAndKey) => void,
  ) {
    this.#options = options;
    this.#current = first;
    this.#logger = logger;
    this.#onChange = onChange;
  }

  /** @throws {ConfigError} when there is no usable pair */
  static async load(
    options: CertificateFilesOptions,
    logger: Logger,
    onChange: (pair: CertificateAndKey) => void = () => {},
  ): Promise<CertificateFiles> {
    return new CertificateFiles(options, await readPair(options), logger, onChange);
  }

  get current(): CertificateAndKey {
    return this.#current;
  }

  /** Looks at the files every `interval` seconds, until aborted. */
  async run(clock: Clock, interval: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(interval, signal);
      await this.refresh();
    }
  }

  /** Looks at the files now. */
  async refresh(): Promise<void> {
    try {
      const pair = await readPair(this.#options);
      if (pair.cert === this.#current.cert && pair.key === this.#current.key) return;
      this.#current = pair;
      this.#onChange(pair);
      this.#logger.info('Certificate file reloaded', { cert_file_path: this.#options.certFile });
    } catch (error) {
      this.#logger.error('The certificate files are not usable; the earlier certificate stays', { error });
    }
  }
}

const readPair = async ({ certFile, keyFile, settings }: CertificateFilesOptions): Promise<CertificateAndKey> => {
  const cert = await contentOf(certFile, settings.cert);
  const key = await contentOf(keyFile, settings.key);
  const certificate = attempt(settings.cert, `${certFile} holds no PEM certificate`, () => new X509Certificate(cert));
  const privateKey = attempt(settings.key, `${keyFile} holds no PEM private key`, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ConfigError([
      { path: settings.key, message: `${keyFile} is not the key of the certificate in ${certFile}` },
    ]);
  }
  attempt(settings.cert, `the certificates in ${certFile} cannot be served`, () => createSecureContext({ cert, key }));
  return { cert, key };
};

const contentOf = (path: string, setting: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    throw new ConfigError([{ path: setting, message: `cannot read ${path}: ${reasonOf(error)}` }], { cause: error });
  });

const attempt = <T>(path: string, message: string, work: () => T): T => {
  try {
    return work();
  } catch {
    // The library's own text could quote the file.
    throw new ConfigError([{ path, message }]);
  }
};
