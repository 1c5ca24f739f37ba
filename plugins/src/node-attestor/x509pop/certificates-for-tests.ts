import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Certificate, parseCertificate } from '@steeple/spiffe';

export interface CertificateParts {
  readonly issuer?: Issued;
  readonly key?: KeyObject;
  readonly commonName?: string;
  readonly serial?: number[];
  readonly uris?: readonly string[];
  readonly ips?: readonly number[][];
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** Contents of the bit string: unused bits, then the bits. Null leaves the extension out. */
  readonly keyUsage?: readonly number[] | null;
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** Further extensions, in DER. */
  readonly more?: readonly Uint8Array[];
}

export interface Issued {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

/** Any day between: the certificates are valid from 2020 to 2040 unless asked otherwise. */
export const NOW = Date.UTC(2030, 0, 1) / 1000;

/** A certificate as a PKI outside SPIFFE would make it. RSA and ECDSA keys. */
export function issue(parts: CertificateParts = {}): Issued {
  const key = parts.key ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const signer = parts.issuer?.key ?? key;
  const subject = der(0x30, rdn(parts.commonName ?? 'node'));
  const tbs = der(
    0x30,
    der(0xa0, der(0x02, [2])),
    der(0x02, parts.serial ?? [1]),
    algorithm(signer),
    parts.issuer?.certificate.subject ?? subject,
    der(
      0x30,
      time(parts.notBefore ?? Date.UTC(2020, 0, 1) / 1000),
      time(parts.notAfter ?? Date.UTC(2040, 0, 1) / 1000),
    ),
    subject,
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions(parts))),
  );
  const signature = sign('sha256', tbs, signer);
  return { certificate: parseCertificate(der(0x30, tbs, algorithm(signer), der(0x03, [0], signature))), key };
}

export function issueCa(commonName: string, parts: CertificateParts = {}): Issued {
  return issue({ commonName, ca: true, keyUsage: [1, 0x06], ...parts });
}

function extensions(parts: CertificateParts): Uint8Array[] {
  const list: Uint8Array[] = [];
  const length = parts.pathLength === undefined ? [] : [der(0x02, [parts.pathLength])];
  if (parts.ca) list.push(extension([0x55, 0x1d, 19], der(0x30, der(0x01, [0xff]), ...length)));
  const keyUsage = parts.keyUsage === undefined ? [7, 0x80] : parts.keyUsage;
  if (keyUsage !== null) list.push(extension([0x55, 0x1d, 15], der(0x03, keyUsage)));
  const names = [
    ...(parts.uris ?? []).map((uri) => der(0x86, Buffer.from(uri))),
    ...(parts.ips ?? []).map((ip) => der(0x87, ip)),
  ];
  if (names.length > 0) list.push(extension([0x55, 0x1d, 17], der(0x30, ...names)));
  list.push(...(parts.more ?? []));
  // Subject key identifier, so that there is always an extension.
  list.push(der(0x30, der(0x06, [0x55, 0x1d, 14]), der(0x04, der(0x04, [1, 2, 3]))));
  return list;
}

function extension(oid: number[], value: Uint8Array): Uint8Array {
  return der(0x30, der(0x06, oid), der(0x01, [0xff]), der(0x04, value));
}

function rdn(commonName: string): Uint8Array {
  return der(0x31, der(0x30, der(0x06, [0x55, 0x04, 0x03]), der(0x0c, Buffer.from(commonName))));
}

function algorithm(key: KeyObject): Uint8Array {
  return key.asymmetricKeyType === 'rsa'
    ? der(0x30, der(0x06, [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]), der(0x05))
    : der(0x30, der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
}

function time(seconds: number): Uint8Array {
  const digits = new Date(seconds * 1000).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(digits.slice(2)));
}

function der(tag: number, ...contents: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const body = Buffer.concat(contents.map((part) => Buffer.from(part)));
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
