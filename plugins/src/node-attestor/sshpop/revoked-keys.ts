import { createHash } from 'node:crypto';
import { readKeyLines } from './authorized-keys.ts';
import type { SshCertificate } from './certificate.ts';
import type { SshPublicKey } from './public-key.ts';
import {
  isRevocationList,
  type RevocationList,
  type RevokedOfAuthority,
  readRevocationList,
} from './revocation-list.ts';
import { SshFormatError } from './ssh-reader.ts';

/** Keys and certificates that are no more believed. */
export interface RevokedKeys {
  /** Whether the certificate, its key, or the authority that signed it is revoked. */
  has(certificate: SshCertificate): boolean;
}

/**
 * From what sshd's `RevokedKeys` names: a revocation list of `ssh-keygen -k`, or plain keys, one a line.
 *
 * @throws {SshFormatError}
 */
export function readRevokedKeys(bytes: Uint8Array): RevokedKeys {
  if (isRevocationList(bytes)) return fromList(readRevocationList(bytes));
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SshFormatError('it is neither a revocation list nor text', { cause });
  }
  const blobs = new Set(readKeyLines(text).map(({ blob }) => base64Of(blob)));
  return { has: ({ key, authority }) => [key, authority].some(({ blob }) => blobs.has(base64Of(blob))) };
}

function fromList(list: RevocationList): RevokedKeys {
  const isRevoked = ({ blob }: SshPublicKey) =>
    list.keys.has(base64Of(blob)) ||
    list.sha1.has(createHash('sha1').update(blob).digest('base64')) ||
    list.sha256.has(createHash('sha256').update(blob).digest('base64'));
  return {
    has: (certificate) =>
      isRevoked(certificate.key) ||
      isRevoked(certificate.authority) ||
      list.certificates.some((section) => isRevokedIn(section, certificate)),
  };
}

function isRevokedIn(section: RevokedOfAuthority, { authority, serial, keyId }: SshCertificate): boolean {
  // Without an authority it speaks of all.
  if (section.authority.length > 0 && !Buffer.from(section.authority).equals(authority.blob)) return false;
  if (section.keyIds.has(keyId)) return true;
  // Zero is what certificates have to which their authority gave no number.
  return serial !== 0n && section.serials.some(({ first, last }) => first <= serial && serial <= last);
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
