import { SshFormatError, SshReader } from './ssh-reader.ts';

/** What `ssh-keygen -k` writes (PROTOCOL.krl of OpenSSH). Bytes are kept in base64. */
export interface RevocationList {
  readonly keys: ReadonlySet<string>;
  readonly sha1: ReadonlySet<string>;
  readonly sha256: ReadonlySet<string>;
  readonly certificates: readonly RevokedOfAuthority[];
}

/** Certificates of one authority, or of all if its key is empty. */
export interface RevokedOfAuthority {
  readonly authority: Uint8Array;
  readonly serials: readonly SerialRange[];
  readonly keyIds: ReadonlySet<string>;
}

/** Both ends belong to it. */
interface SerialRange {
  readonly first: bigint;
  readonly last: bigint;
}

const MAGIC = 'SSHKRL\n\0';
const VERSION = 1;
const SECTION = { certificates: 1, keys: 2, sha1: 3, signature: 4, sha256: 5, extension: 255 };
const CERTIFICATES = { serials: 0x20, range: 0x21, bitmap: 0x22, keyIds: 0x23, extension: 0x39 };

export function isRevocationList(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') === MAGIC;
}

/** @throws {SshFormatError} also for a part that is not understood: it may revoke something */
export function readRevocationList(bytes: Uint8Array): RevocationList {
  const reader = new SshReader(bytes);
  reader.raw(MAGIC.length, 'the magic');
  const version = reader.uint32('the version');
  if (version !== VERSION) throw new SshFormatError(`a revocation list of version ${version} is not understood`);
  for (const what of ['the number', 'the date', 'the flags']) reader.uint64(what);
  for (const what of ['the reserved field', 'the comment']) reader.bytes(what);
  const [keys, sha1, sha256] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const certificates: RevokedOfAuthority[] = [];
  while (!reader.done) {
    const [kind, content] = sectionOf(reader);
    if (kind === SECTION.certificates) certificates.push(readCertificates(content));
    else if (kind === SECTION.keys) addAll(keys, content);
    else if (kind === SECTION.sha1) addAll(sha1, content);
    else if (kind === SECTION.sha256) addAll(sha256, content);
    else if (kind === SECTION.extension) refuseCritical(content);
    // A signature was only ever made and never asked for.
    else if (kind !== SECTION.signature) throw unknown('section', kind);
  }
  return { keys, sha1, sha256, certificates };
}

function sectionOf(reader: SshReader): [kind: number, content: SshReader] {
  const kind = reader.raw(1, 'the kind of a section')[0] ?? -1;
  return [kind, new SshReader(reader.bytes('a section'))];
}

function addAll(set: Set<string>, content: SshReader): void {
  while (!content.done) set.add(Buffer.from(content.bytes('a revoked key')).toString('base64'));
}

function readCertificates(reader: SshReader): RevokedOfAuthority {
  const authority = reader.bytes("the authority's key");
  reader.bytes('the reserved field');
  const serials: SerialRange[] = [];
  const keyIds = new Set<string>();
  while (!reader.done) {
    const [kind, content] = sectionOf(reader);
    if (kind === CERTIFICATES.serials) serials.push(...readSerials(content));
    else if (kind === CERTIFICATES.range) serials.push(readRange(content));
    else if (kind === CERTIFICATES.bitmap) serials.push(...readBitmap(content));
    else if (kind === CERTIFICATES.keyIds) while (!content.done) keyIds.add(content.text('a key ID'));
    else if (kind === CERTIFICATES.extension) refuseCritical(content);
    else throw unknown('section of certificates', kind);
  }
  return { authority, serials, keyIds };
}

function readSerials(content: SshReader): SerialRange[] {
  const serials: SerialRange[] = [];
  while (!content.done) {
    const serial = content.uint64('a serial number');
    serials.push({ first: serial, last: serial });
  }
  return serials;
}

function readRange(content: SshReader): SerialRange {
  const range = { first: content.uint64('the first serial number'), last: content.uint64('the last serial number') };
  content.finish('a range');
  return range;
}

/** One bit a serial number, the lowest bit being the offset. */
function readBitmap(content: SshReader): SerialRange[] {
  const offset = content.uint64('the offset');
  const bits = content.positive('the bitmap').toReversed();
  content.finish('the bitmap');
  const serials: SerialRange[] = [];
  for (const [index, byte] of bits.entries()) {
    for (let bit = 0; bit < 8; bit++) {
      if (((byte >> bit) & 1) === 0) continue;
      const serial = offset + BigInt(index * 8 + bit);
      serials.push({ first: serial, last: serial });
    }
  }
  return serials;
}

function refuseCritical(content: SshReader): void {
  const name = content.text('the name of an extension');
  const isCritical = content.raw(1, 'the flag of an extension')[0] !== 0;
  if (isCritical) throw new SshFormatError(`the critical extension ${JSON.stringify(name)} is not understood`);
}

function unknown(what: string, kind: number): SshFormatError {
  return new SshFormatError(`a ${what} of kind ${kind} is not understood`);
}
