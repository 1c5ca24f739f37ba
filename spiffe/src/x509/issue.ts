import { equalBytes } from '../encoding/bytes.ts';
import { decodeHex, encodeHex } from '../encoding/hex.ts';
import { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import type { TrustDomain } from '../id/trust-domain.ts';
import type { Signer } from '../keys/signer.ts';
import { familyOfSpki, spkiOf } from '../keys/spki.ts';
import type { Certificate } from './certificate.ts';
import { CertificateTemplate } from './certificate-template.ts';
import { checkIssued } from './check-issued.ts';
import { isDnsName } from './dns-name.ts';
import { alternativeNames, authorityKeyId, caExtensions, LEAF_EXTENSIONS, subjectKeyId } from './extension-writer.ts';
import { keyIdOf } from './key-id.ts';
import { defaultLeafSubject } from './leaf-subject.ts';
import { encodeName, type NameAttributes } from './name.ts';

/** A wanted X509-SVID. */
export interface LeafRequest {
  /** Must have a path (X509-05). */
  readonly id: SpiffeId;
  /** DER SubjectPublicKeyInfo of a request that was read and found good: possession of the key is not checked again. */
  readonly spki: Uint8Array;
  readonly dnsNames?: readonly string[];
  /** DER Name; by default C=US, O=SPIRE and the first DNS name as common name. */
  readonly subject?: Uint8Array;
  /** Unix seconds; both ends are pulled inside the issuer's validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** 16 random octets. */
  readonly serial: Uint8Array;
}

/** A wanted certificate of a CA below this one. */
export interface CaRequest {
  readonly id: TrustDomain;
  readonly spki: Uint8Array;
  /** Its attributes, or a DER Name as a request wishes it. */
  readonly subject: NameAttributes | Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly serial: Uint8Array;
  readonly pathLength?: number;
}

const EMPTY_NAME_BYTES = 2;

/** Issues certificates under one authority. Nothing leaves that was not checked when finished. */
export class X509Issuer {
  readonly certificate: Certificate;
  /** The authority's key identifier in hexadecimal, the name it has in every API. */
  readonly authorityId: string;
  /** Certificates to send behind a leaf, up to but without a self-signed root. */
  readonly chain: readonly Certificate[];
  readonly #template: CertificateTemplate;
  readonly #authorityKeyId: Uint8Array;

  /**
   * @param upstreamChain certificates above this authority, nearest first
   * @throws SpiffeError `invalid-certificate` when the signer's key is not the certificate's, or it is no CA
   */
  constructor(signer: Signer, certificate: Certificate, upstreamChain: readonly Certificate[] = []) {
    if (!equalBytes(spkiOf(signer.publicKey), certificate.spki)) throw unfit('key is not that of the certificate');
    if (!certificate.isCa || certificate.keyUsage?.keyCertSign !== true) throw unfit('certificate is not that of a CA');
    this.certificate = certificate;
    this.authorityId = certificate.subjectKeyId ?? encodeHex(keyIdOf(certificate.spki));
    this.chain = [certificate, ...upstreamChain].filter(({ isSelfSigned }) => !isSelfSigned);
    this.#template = new CertificateTemplate(signer, certificate.subject);
    this.#authorityKeyId = authorityKeyId(decodeHex(this.authorityId));
  }

  /**
   * Issues an X509-SVID (X509-SVID sections 2 to 4).
   *
   * @throws SpiffeError `invalid-svid` for an ID without a path, `unsupported-key`, `invalid-certificate` for a DNS name
   * that is none or if the result fails its check, `expired` if the issuer's validity leaves none
   */
  async issueLeaf(request: LeafRequest): Promise<Certificate> {
    const { id, spki, serial, dnsNames = [] } = request;
    if (id.path === '') throw new SpiffeError('invalid-svid', 'a leaf needs an ID with a path', { rule: 'X509-05' });
    if (!dnsNames.every(isDnsName)) throw unfit('DNS name of a wrong form');
    const subject = request.subject ?? defaultLeafSubject(dnsNames);
    const validity = this.#within(request);
    const uri = id.toString();
    const certificate = await this.#template.sign({
      serial,
      ...validity,
      subject,
      spki,
      extensions: [
        LEAF_EXTENSIONS[familyOfSpki(spki)],
        subjectKeyId(keyIdOf(spki)),
        this.#authorityKeyId,
        alternativeNames(uri, dnsNames, subject.length === EMPTY_NAME_BYTES),
      ],
    });
    const expected = { uri, dnsNames, subject, spki, ...validity, ca: false, pathLength: undefined };
    checkIssued(certificate, this.certificate, expected);
    return certificate;
  }

  /**
   * Issues the certificate of a CA below this one (X509-SVID section 3.2).
   *
   * @throws SpiffeError as {@link issueLeaf} does, and `invalid-certificate` where this authority's path length forbids it
   */
  async issueCa(request: CaRequest): Promise<Certificate> {
    const { id, spki, serial, pathLength } = request;
    this.#requirePathLength(pathLength);
    familyOfSpki(spki);
    const subject = request.subject instanceof Uint8Array ? request.subject : encodeName(request.subject);
    const validity = this.#within(request);
    const certificate = await this.#template.sign({
      serial,
      ...validity,
      subject,
      spki,
      extensions: [
        caExtensions(pathLength),
        subjectKeyId(keyIdOf(spki)),
        this.#authorityKeyId,
        alternativeNames(id.id, [], subject.length === EMPTY_NAME_BYTES),
      ],
    });
    checkIssued(certificate, this.certificate, {
      uri: id.id,
      dnsNames: [],
      subject,
      spki,
      ...validity,
      ca: true,
      pathLength,
    });
    return certificate;
  }

  #within({ notBefore, notAfter }: { notBefore: number; notAfter: number }): { notBefore: number; notAfter: number } {
    return {
      notBefore: Math.max(notBefore, this.certificate.notBefore),
      notAfter: Math.min(notAfter, this.certificate.notAfter),
    };
  }
  #requirePathLength(wanted: number | undefined): void {
    const limit = this.certificate.basicConstraints?.pathLength;
    if (limit === undefined || (limit > 0 && (wanted ?? 0) < limit)) return;
    throw new SpiffeError('invalid-certificate', 'path length of this authority forbids it', { rule: 'X509-13' });
  }
}

function unfit(message: string): SpiffeError {
  return new SpiffeError('invalid-certificate', message);
}
