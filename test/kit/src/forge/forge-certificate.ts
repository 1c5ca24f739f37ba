import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bits, boolean, der, integer, octets, oid, sequence, time, utf8 } from './der.ts';

/** Bits of KeyUsage by their number (RFC 5280 section 4.2.1.3). */
export const KEY_USAGE = {
  digitalSignature: 0,
  keyEncipherment: 2,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
} as const;

export type KeyUsageName = keyof typeof KEY_USAGE;

export interface ForgedExtension {
  readonly oid: string;
  readonly critical?: boolean;
  /** DER of the value. */
  readonly value: Uint8Array;
}

/** What to put in. Nothing is checked and nothing is added: an extension that is not asked for is absent. */
export interface ForgeOptions {
  /** Default: self-signed. */
  readonly issuer?: Forged | undefined;
  /** Default: a new P-256 key. */
  readonly privateKey?: KeyObject | undefined;
  /** Another key than the one that is kept, for certificates that do not match their key. */
  readonly publicKey?: KeyObject | undefined;
  /** Common name; default: an empty subject. */
  readonly commonName?: string | undefined;
  readonly uris?: readonly string[] | undefined;
  readonly dnsNames?: readonly string[] | undefined;
  readonly sanCritical?: boolean | undefined;
  readonly ca?: boolean | undefined;
  readonly pathLength?: number | undefined;
  readonly keyUsage?: readonly KeyUsageName[] | undefined;
  readonly keyUsageCritical?: boolean | undefined;
  /** OIDs. */
  readonly extKeyUsage?: readonly string[] | undefined;
  readonly extensions?: readonly ForgedExtension[] | undefined;
  /** Unix seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly digest?: 'sha256' | 'sha1' | undefined;
  /** Sign with this key instead of the issuer's: a forgery in the true sense. */
  readonly signWith?: KeyObject | undefined;
}

/** A certificate and the key it was made for. */
export interface Forged {
  readonly der: Uint8Array;
  readonly privateKey: KeyObject;
  /** DER Name. */
  readonly subject: Uint8Array;
}

export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** A certificate exactly as asked for, however wrong. Keys are EC or RSA. */
export function forgeCertificate(options: ForgeOptions): Forged {
  const privateKey = options.privateKey ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const publicKey = options.publicKey ?? createPublicKey(privateKey);
  const subject = nameOf(options.commonName);
  const signingKey = options.signWith ?? options.issuer?.privateKey ?? privateKey;
  const digest = options.digest ?? 'sha256';
  const algorithm = signatureAlgorithm(signingKey, digest);
  const extensions = extensionsOf(options);
  const tbs = sequence(
    der(0xa0, integer(Uint8Array.of(2))),
    integer(Buffer.concat([Uint8Array.of(1), randomBytes(15)])),
    algorithm,
    options.issuer?.subject ?? subject,
    sequence(time(options.notBefore), time(options.notAfter)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  return { der: sequence(tbs, algorithm, bits(sign(digest, tbs, signingKey))), privateKey, subject };
}

function nameOf(commonName: string | undefined): Buffer {
  return commonName === undefined ? sequence() : sequence(der(0x31, sequence(oid('2.5.4.3'), utf8(commonName))));
}

function signatureAlgorithm(key: KeyObject, digest: 'sha256' | 'sha1'): Buffer {
  if (key.asymmetricKeyType === 'rsa') {
    const id = digest === 'sha1' ? '1.2.840.113549.1.1.5' : '1.2.840.113549.1.1.11';
    return sequence(oid(id), der(0x05));
  }
  return sequence(oid(digest === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'));
}

function extensionsOf(options: ForgeOptions): Buffer[] {
  const { uris = [], dnsNames = [], ca, pathLength, keyUsage, extKeyUsage, extensions = [] } = options;
  const made: ForgedExtension[] = [];
  if (ca !== undefined) {
    const parts = [
      ...(ca ? [boolean(true)] : []),
      ...(pathLength === undefined ? [] : [integer(Uint8Array.of(pathLength))]),
    ];
    made.push({ oid: '2.5.29.19', critical: true, value: sequence(...parts) });
  }
  if (keyUsage !== undefined) {
    made.push({ oid: '2.5.29.15', critical: options.keyUsageCritical ?? true, value: keyUsageBits(keyUsage) });
  }
  if (extKeyUsage !== undefined) made.push({ oid: '2.5.29.37', value: sequence(...extKeyUsage.map(oid)) });
  if (uris.length + dnsNames.length > 0) {
    const names = [
      ...dnsNames.map((name) => der(0x82, Buffer.from(name))),
      ...uris.map((uri) => der(0x86, Buffer.from(uri))),
    ];
    const isBare = options.commonName === undefined;
    made.push({ oid: '2.5.29.17', critical: options.sanCritical ?? isBare, value: sequence(...names) });
  }
  return [...made, ...extensions].map((extension) =>
    sequence(oid(extension.oid), ...(extension.critical ? [boolean(true)] : []), octets(extension.value)),
  );
}

function keyUsageBits(names: readonly KeyUsageName[]): Buffer {
  const numbers: number[] = names.map((name) => KEY_USAGE[name]);
  const byte = numbers.reduce((sum, number) => sum | (0x80 >> number), 0);
  return numbers.length === 0 ? bits(Buffer.alloc(0)) : bits(Uint8Array.of(byte), 7 - Math.max(...numbers));
}
