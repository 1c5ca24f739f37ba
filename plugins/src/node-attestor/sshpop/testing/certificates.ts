import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { publicKeyOf } from '../public-key.ts';
import { type SshSignature, signWith } from '../signature.ts';
import { sshString } from '../ssh-writer.ts';

export interface CertificateParts {
  readonly key?: KeyObject;
  readonly authority?: KeyObject;
  readonly kind?: number;
  readonly serial?: bigint;
  readonly keyId?: string;
  readonly principals?: readonly string[];
  readonly validAfter?: bigint;
  readonly validBefore?: bigint;
  readonly options?: readonly (readonly [name: string, value: string])[];
  readonly extensions?: readonly (readonly [name: string, value: string])[];
  readonly signature?: (signedPart: Uint8Array) => SshSignature;
}

export const AUTHORITY = generateKeyPairSync('ed25519').privateKey;
const HOST_KEY = generateKeyPairSync('ed25519').privateKey;

/** A host's certificate as no honest authority would make it; by default one that is good for ever. */
export function makeCertificate(parts: CertificateParts = {}): Uint8Array {
  const authority = parts.authority ?? AUTHORITY;
  const { type, blob } = publicKeyOf(parts.key ?? HOST_KEY);
  const signedPart = Buffer.concat([
    sshString(`${type}-cert-v01@openssh.com`),
    sshString(Buffer.alloc(32, 1)),
    blob.subarray(4 + type.length),
    uint64(parts.serial ?? 1n),
    uint32(parts.kind ?? 2),
    sshString(parts.keyId ?? 'id'),
    sshString(Buffer.concat((parts.principals ?? ['node-1.example.org']).map((name) => sshString(name)))),
    uint64(parts.validAfter ?? 0n),
    uint64(parts.validBefore ?? 2n ** 64n - 1n),
    options(parts.options),
    options(parts.extensions),
    sshString(''),
    sshString(publicKeyOf(authority).blob),
  ]);
  const signature = parts.signature?.(signedPart) ?? signWith(authority, signedPart);
  return Buffer.concat([
    signedPart,
    sshString(Buffer.concat([sshString(signature.format), sshString(signature.blob)])),
  ]);
}

function options(list: CertificateParts['options'] = []): Uint8Array {
  const tuples = list.flatMap(([name, value]) => [sshString(name), sshString(value === '' ? '' : sshString(value))]);
  return sshString(Buffer.concat(tuples));
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
