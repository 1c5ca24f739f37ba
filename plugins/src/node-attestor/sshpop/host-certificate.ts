import { BlockList, isIP } from 'node:net';
import { HOST_CERTIFICATE, type SshCertificate } from './certificate.ts';
import { quoted, type SshPublicKey } from './public-key.ts';
import { signatureHolds } from './signature.ts';
import { SshFormatError } from './ssh-reader.ts';

/** Why a well-formed certificate is not believed. */
export class UntrustedCertificate extends Error {}

export interface HostCertificateRules {
  readonly authorities: readonly SshPublicKey[];
  /** Unix seconds. */
  readonly now: number;
  /** Where the agent connects from, if known. */
  readonly peerAddress?: string | undefined;
}

/** Seconds; the greatest number means that a certificate never expires. */
const NEVER = 2n ** 64n - 1n;
const SOURCE_ADDRESS = 'source-address';

/**
 * Judges a certificate as OpenSSH judges one of a host, and returns its first principal. Nothing in it is believed before
 * the authority's signature is checked.
 *
 * @throws {UntrustedCertificate}
 */
export function judgeHostCertificate(certificate: SshCertificate, rules: HostCertificateRules): string {
  const { authority, signedPart, signature } = certificate;
  if (!rules.authorities.some(({ blob }) => Buffer.from(blob).equals(authority.blob))) {
    throw new UntrustedCertificate('it is signed by an authority that is not configured');
  }
  if (!holds(authority, signedPart, signature))
    throw new UntrustedCertificate("the authority's signature does not hold");
  if (certificate.kind !== HOST_CERTIFICATE) {
    throw new UntrustedCertificate(
      `it is no certificate of a host (kind ${certificate.kind}, not ${HOST_CERTIFICATE})`,
    );
  }
  judgeValidity(certificate, BigInt(Math.floor(rules.now)));
  judgeOptions(certificate, rules.peerAddress);
  const [principal] = certificate.principals;
  if (principal === undefined || principal === '') throw new UntrustedCertificate('it names no principal');
  return principal;
}

function holds(...[key, data, signature]: Parameters<typeof signatureHolds>): boolean {
  try {
    return signatureHolds(key, data, signature);
  } catch (cause) {
    if (!(cause instanceof SshFormatError)) throw cause;
    throw new UntrustedCertificate(`the authority's signature: ${cause.message}`, { cause });
  }
}

function judgeValidity({ validAfter, validBefore }: SshCertificate, now: bigint): void {
  if (now < validAfter) throw new UntrustedCertificate('it is not yet valid');
  if (validBefore !== NEVER && now >= validBefore) throw new UntrustedCertificate('it has expired');
}

/** A critical option that nobody enforces would be no option at all. */
function judgeOptions({ criticalOptions }: SshCertificate, peerAddress: string | undefined): void {
  for (const [name, value] of criticalOptions) {
    if (name !== SOURCE_ADDRESS) throw new UntrustedCertificate(`it has the unknown critical option ${quoted(name)}`);
    if (!isWithin(peerAddress, value)) {
      throw new UntrustedCertificate(`the agent does not connect from its ${SOURCE_ADDRESS}`);
    }
  }
}

function isWithin(address: string | undefined, ranges: string): boolean {
  if (address === undefined || isIP(address) === 0) return false;
  const allowed = new BlockList();
  for (const range of ranges.split(',')) {
    const [network = '', prefix] = range.split('/');
    const family = isIP(network);
    if (family === 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return false;
    const length = Number(prefix ?? (family === 6 ? 128 : 32));
    if (length > (family === 6 ? 128 : 32)) return false;
    allowed.addSubnet(network, length, family === 6 ? 'ipv6' : 'ipv4');
  }
  return allowed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
