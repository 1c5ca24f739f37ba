import { verify, X509Certificate } from 'node:crypto';
import { IssuerError } from '@steeple/core';
import { isSignedBy } from '../cloud/signed-by.ts';
import { readSignedData } from '../cloud/signed-data.ts';
import { bytesOfSignature, type IidPayload, type InstanceDocument, parseDocument } from './messages.ts';
import type { Partition } from './partition.ts';
import { partitionOf } from './partition.ts';
import { RSA_1024_CERTIFICATES } from './rsa-1024-certificates.ts';
import { RSA_2048_CERTIFICATES } from './rsa-2048-certificates.ts';

export interface DocumentTrustOptions {
  readonly partition: Partition;
  /** Certificates beside Amazon's own, by region; one given here replaces Amazon's of that region. */
  readonly certificates: ReadonlyMap<string, X509Certificate>;
  /** Whether the RSA-1024 signature of agents that send no other counts. */
  readonly acceptRsa1024: boolean;
}

/** Knows whose documents are to be believed: those signed with the key of their region, and of the own partition. */
export class DocumentTrust {
  readonly #options: DocumentTrustOptions;

  constructor(options: DocumentTrustOptions) {
    this.#options = options;
  }

  /**
   * The document, if its signature holds. Read is only what was signed: a good signature beside another document is
   * worth nothing.
   *
   * @throws {IssuerError} `invalid-argument`; `permission-denied` for a document that may be genuine, from elsewhere
   */
  judge({ document, signature, rsa2048 }: IidPayload): InstanceDocument {
    const claimed = parseDocument(document);
    if (partitionOf(claimed.region) !== this.#options.partition) {
      throw new IssuerError('permission-denied', `aws_iid: region ${claimed.region} belongs to another partition`);
    }
    if (rsa2048 !== '') this.#requirePkcs7(document, rsa2048, claimed.region);
    else if (signature !== '') this.#requireRsa1024(document, signature, claimed.region);
    else throw refused('instance identity cryptographic signature is required');
    return claimed;
  }

  #requirePkcs7(document: string, signature: string, region: string): void {
    const certificate = this.#options.certificates.get(region) ?? certificateIn(RSA_2048_CERTIFICATES, region);
    const signedData = readSignedData(bytesOfSignature(signature));
    // The key is the region's, whatever certificates came along.
    if (!isSignedBy(certificate.publicKey, signedData)) {
      throw refused('failed verification of instance identity cryptographic signature');
    }
    if (!Buffer.from(document).equals(signedData.content)) {
      throw refused('instance identity document does not match the verified PKCS7 content');
    }
  }

  #requireRsa1024(document: string, signature: string, region: string): void {
    if (!this.#options.acceptRsa1024) throw refused('only the RSA-2048 signature is accepted');
    const { publicKey } = certificateIn(RSA_1024_CERTIFICATES, region);
    if (verify('sha256', Buffer.from(document), publicKey, bytesOfSignature(signature))) return;
    throw refused('failed to verify the cryptographic signature');
  }
}

const parsed = new Map<string, X509Certificate>();

function certificateIn(certificates: Readonly<Record<string, string>>, region: string): X509Certificate {
  const base64 = Object.hasOwn(certificates, region) ? certificates[region] : undefined;
  if (base64 === undefined) throw refused(`no AWS certificate is known for region ${region}`);
  const known = parsed.get(base64) ?? new X509Certificate(Buffer.from(base64, 'base64'));
  parsed.set(base64, known);
  return known;
}

function refused(message: string): IssuerError {
  return new IssuerError('invalid-argument', `aws_iid: ${message}`);
}
