import { createHash } from 'node:crypto';
import { quoted, readKeyOf, readPublicKey, type SshPublicKey } from './public-key.ts';
import { readSignature, type SshSignature } from './signature.ts';
import { SshFormatError, SshReader } from './ssh-reader.ts';

/** Kinds of certificates (PROTOCOL.certkeys of OpenSSH). */
export const HOST_CERTIFICATE = 2;

/** An OpenSSH certificate. That a value exists says that the form is right, nothing about trust. */
export interface SshCertificate {
  /** The whole certificate as it came. */
  readonly blob: Uint8Array;
  /** What the authority signed. */
  readonly signedPart: Uint8Array;
  readonly key: SshPublicKey;
  readonly serial: bigint;
  readonly kind: number;
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Unix seconds; it is valid from `validAfter` until just before `validBefore`. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  /** By name, in the order of the certificate. */
  readonly criticalOptions: ReadonlyMap<string, string>;
  readonly extensions: ReadonlyMap<string, string>;
  readonly authority: SshPublicKey;
  readonly signature: SshSignature;
}

const MAX_BYTES = 32 * 1024;
const SUFFIX = '-cert-v01@openssh.com';

/** @throws {SshFormatError} for anything else than one certificate of a supported kind of key */
export function readCertificate(blob: Uint8Array): SshCertificate {
  if (blob.length > MAX_BYTES) throw new SshFormatError(`the certificate has more than ${MAX_BYTES} bytes`);
  const reader = new SshReader(blob);
  const type = reader.text('the certificate type');
  if (!type.endsWith(SUFFIX)) throw new SshFormatError(`${quoted(type)} is no certificate type`);
  reader.bytes('the nonce');
  const key = readKeyOf(type.slice(0, -SUFFIX.length), reader);
  const serial = reader.uint64('the serial number');
  const kind = reader.uint32('the kind of certificate');
  const keyId = reader.text('the key ID');
  const principals = readPrincipals(reader.bytes('the principals'));
  const [validAfter, validBefore] = [reader.uint64('the start of validity'), reader.uint64('the end of validity')];
  const criticalOptions = readOptions(reader.bytes('the critical options'), 'critical option');
  const extensions = readOptions(reader.bytes('the extensions'), 'extension');
  reader.bytes('the reserved field');
  const authority = readPublicKey(reader.bytes("the authority's key"));
  const signedPart = blob.subarray(0, reader.offset);
  const signature = readSignature(reader.bytes('the signature'));
  reader.finish('the certificate');
  const content = { key, serial, kind, keyId, principals, validAfter, validBefore, criticalOptions, extensions };
  return { blob, signedPart, ...content, authority, signature };
}

/** SHA-256 of the whole certificate in URL-safe base64 without padding: how SPIRE names an agent by default. */
export function fingerprintOf({ blob }: SshCertificate): string {
  return createHash('sha256').update(blob).digest('base64url');
}

function readPrincipals(bytes: Uint8Array): readonly string[] {
  const reader = new SshReader(bytes);
  const principals: string[] = [];
  while (!reader.done) principals.push(reader.text('a principal'));
  return principals;
}

/** Names in ascending order of their bytes, each once; a value is a string within the string. */
function readOptions(bytes: Uint8Array, what: string): ReadonlyMap<string, string> {
  const reader = new SshReader(bytes);
  const options = new Map<string, string>();
  let last: Uint8Array | undefined;
  while (!reader.done) {
    const name = reader.bytes(`the name of a ${what}`);
    if (last !== undefined && Buffer.compare(last, name) >= 0) {
      throw new SshFormatError(`the names of ${what}s are not in order`);
    }
    last = name;
    options.set(Buffer.from(name).toString('utf8'), readValue(reader.bytes(`the value of a ${what}`), what));
  }
  return options;
}

function readValue(bytes: Uint8Array, what: string): string {
  if (bytes.length === 0) return '';
  const reader = new SshReader(bytes);
  const value = reader.text(`the value of a ${what}`);
  reader.finish(`the value of a ${what}`);
  return value;
}
