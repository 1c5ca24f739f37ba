import { IssuerError } from '@steeple/core';
import { buildPath, type Certificate, parseCertificate, SpiffeError } from '@steeple/spiffe';
import { readBer } from '../cloud/ber.ts';
import { isSignedBy } from '../cloud/signed-by.ts';
import { readSignedData, type SignedData } from '../cloud/signed-data.ts';
import { AZURE_ROOTS } from './azure-roots.ts';
import type { IssuerCertificates } from './issuer-certificates.ts';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** Certificates that a document may bring along. */
const MAX_CERTIFICATES = 8;
/** Issuers fetched one above the other. */
const MAX_FETCHES = 3;

export interface DocumentTrustOptions {
  /** Certificates of these names, or of names below them, sign documents. */
  readonly domains: readonly string[];
  /** Roots beside those that are built in. */
  readonly roots: readonly Certificate[];
  /** Issuers known beforehand. */
  readonly intermediates: readonly Certificate[];
  readonly issuers: IssuerCertificates;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Knows whose attested documents are to be believed: those of Azure's metadata service, by its certificate's name and chain. */
export class DocumentTrust {
  readonly #options: DocumentTrustOptions;
  readonly #anchors: readonly Certificate[];

  constructor(options: DocumentTrustOptions) {
    this.#options = options;
    this.#anchors = [...AZURE_ROOTS.map((der) => parseCertificate(Buffer.from(der, 'base64'))), ...options.roots];
  }

  /**
   * What was signed. The certificate that is judged is the one whose key the signature holds for, whatever others lie
   * beside it.
   *
   * @throws {IssuerError} `invalid-argument`, `unavailable` if an issuer's certificate cannot be fetched
   */
  async judge(signature: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const signedData = readSignedData(signature);
    const certificates = certificatesOf(signedData);
    const signer = signerOf(signedData, certificates);
    if (!isSignedBy(signer.publicKey, signedData)) throw refused('signature verification failed');
    this.#requireName(signer);
    await this.#requireChain(signer, certificates, signal);
    return signedData.content;
  }

  #requireName({ dnsSans, extKeyUsage }: Certificate): void {
    const isAzure = dnsSans.some((name) =>
      this.#options.domains.some((domain) => name === domain || name.endsWith(`.${domain}`)),
    );
    if (!isAzure) throw refused('the signing certificate has no name of an allowed metadata domain');
    if (extKeyUsage?.includes(SERVER_AUTH) === false) throw refused('the signing certificate is not for servers');
  }

  async #requireChain(signer: Certificate, others: readonly Certificate[], signal: AbortSignal): Promise<void> {
    let known = [...this.#options.intermediates, ...others];
    let top: Certificate | undefined = signer;
    for (let fetches = 0; ; fetches++) {
      try {
        buildPath({ leaf: signer, intermediates: known, anchors: this.#anchors, now: this.#options.now() });
        return;
      } catch (cause) {
        if (!(cause instanceof SpiffeError)) throw cause;
        top = fetches < MAX_FETCHES ? await this.#issuerOf(top, signal) : undefined;
        if (top === undefined) throw refused(`certificate chain validation failed: ${cause.message}`, cause);
        known = [...known, top];
      }
    }
  }

  async #issuerOf(certificate: Certificate | undefined, signal: AbortSignal): Promise<Certificate | undefined> {
    return certificate && !certificate.isSelfIssued
      ? await this.#options.issuers.issuerOf(certificate, signal)
      : undefined;
  }
}

function certificatesOf({ certificates }: SignedData): readonly Certificate[] {
  if (certificates.length > MAX_CERTIFICATES) throw refused(`more than ${MAX_CERTIFICATES} certificates`);
  return certificates.map((der) => {
    try {
      const certificate = parseCertificate(der);
      // Imports the key, so that an unsupported one is the sender's mistake.
      void certificate.publicKey;
      return certificate;
    } catch (cause) {
      if (!(cause instanceof SpiffeError)) throw cause;
      throw refused(`an unusable certificate: ${cause.message}`, cause);
    }
  });
}

/** The one certificate with the signer's issuer and serial number: of two it would be open which is meant. */
function signerOf({ signer }: SignedData, certificates: readonly Certificate[]): Certificate {
  const [first, second] = certificates.filter(
    (one) => Buffer.from(one.issuer).equals(signer.issuer) && Buffer.from(serialOf(one)).equals(signer.serial),
  );
  if (first === undefined || second !== undefined) throw refused('expected exactly one signer certificate');
  return first;
}

/** Contents of the serial number's INTEGER, sign octet included. */
function serialOf({ raw }: Certificate): Uint8Array {
  const fields = readBer(raw).children[0]?.children ?? [];
  return fields.find(({ tag }) => tag === 0x02)?.contents ?? new Uint8Array();
}

function refused(reason: string, cause?: unknown): IssuerError {
  return new IssuerError('invalid-argument', `azure_imds: failed to validate attested document: ${reason}`, { cause });
}
