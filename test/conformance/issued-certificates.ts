// Reads what a certificate says straight from its DER, without our own library.
import type { X509Certificate } from 'node:crypto';

const OIDS = {
  keyUsage: '551d0f',
  basicConstraints: '551d13',
  extKeyUsage: '551d25',
  names: '551d11',
  subjectKey: '551d0e',
  authorityKey: '551d23',
};
type ExtensionName = keyof typeof OIDS;

export interface Extension {
  readonly critical: boolean;
  /** Hexadecimal DER. */
  readonly value: string;
}

/** The extension as it stands in the certificate; `undefined` if it is absent. Lengths below 128 bytes only. */
export function extensionOf(certificate: X509Certificate, name: ExtensionName): Extension | undefined {
  const hex = certificate.raw.toString('hex');
  const oid = `0603${OIDS[name]}`;
  const at = hex.indexOf(oid);
  if (at < 0) return undefined;
  const rest = hex.slice(at + oid.length);
  const critical = rest.startsWith('0101ff');
  const body = critical ? rest.slice(6) : rest;
  const isLong = body.startsWith('0481');
  const lengthAt = isLong ? 4 : 2;
  const length = Number.parseInt(body.slice(lengthAt, lengthAt + 2), 16);
  return { critical, value: body.slice(lengthAt + 2, lengthAt + 2 + length * 2) };
}

export const uriNames = (certificate: X509Certificate): string[] =>
  [...(certificate.subjectAltName ?? '').matchAll(/URI:([^,]+)/g)].map(([, uri = '']) => uri);
