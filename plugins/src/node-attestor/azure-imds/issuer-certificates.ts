import { X509Certificate } from 'node:crypto';
import { type Certificate, parseCertificate, parseCertificatesPem, SpiffeError } from '@steeple/spiffe';
import { askOutside, type CallOutside } from '../cloud/call-outside.ts';

const MAX_BYTES = 64 * 1024;
/** Addresses remembered; Azure has a few dozen issuers. */
const MAX_KNOWN = 200;

/**
 * Fetches the certificates of issuers from where certificates say they are, which anybody may write there: only from the
 * given hosts, by http or https at its own port, and never with credentials. What comes is not trusted for it.
 */
export class IssuerCertificates {
  readonly #hosts: ReadonlySet<string>;
  readonly #ask: CallOutside;
  readonly #known = new Map<string, Certificate>();

  constructor(hosts: readonly string[], ask: CallOutside) {
    this.#hosts = new Set(hosts);
    this.#ask = ask;
  }

  /** Undefined if there is no address to be followed, or no certificate there. @throws {IssuerError} `unavailable` */
  async issuerOf(certificate: Certificate, signal: AbortSignal): Promise<Certificate | undefined> {
    const address = issuerAddressesOf(certificate).find((one) => this.#mayFollow(one));
    if (address === undefined) return undefined;
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const what = "the issuer's certificate of Azure's metadata service";
    const bytes = await askOutside(this.#ask, { what, url: new URL(address), maxBytes: MAX_BYTES, signal });
    const issuer = certificateIn(bytes);
    if (issuer !== undefined && this.#known.size < MAX_KNOWN) this.#known.set(address, issuer);
    return issuer;
  }

  #mayFollow(address: string): boolean {
    if (!URL.canParse(address)) return false;
    const { protocol, host, username, password } = new URL(address);
    return /^https?:$/.test(protocol) && this.#hosts.has(host) && username === '' && password === '';
  }
}

/** Where a certificate says that its issuer's is (RFC 5280 section 4.2.2.1). */
function issuerAddressesOf(certificate: Certificate): readonly string[] {
  const access = new X509Certificate(certificate.raw).toLegacyObject().infoAccess;
  return access?.['CA Issuers - URI'] ?? [];
}

/** In DER or PEM. */
function certificateIn(bytes: Uint8Array): Certificate | undefined {
  try {
    return bytes[0] === 0x30 ? parseCertificate(bytes) : parseCertificatesPem(new TextDecoder().decode(bytes))[0];
  } catch (error) {
    if (error instanceof SpiffeError) return undefined;
    throw error;
  }
}
