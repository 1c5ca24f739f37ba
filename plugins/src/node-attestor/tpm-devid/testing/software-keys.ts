import {
  constants,
  createDecipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  privateDecrypt,
  sign,
} from 'node:crypto';
import { ALG } from '../tpm/algorithms.ts';
import { sized, TpmReader, u16, u32 } from '../tpm/bytes.ts';
import { kdfa, kdfe } from '../tpm/key-derivation.ts';
import { type PublicArea, readPublicArea } from '../tpm/public-area.ts';

/** A key whose private half the test has, with the public area that a TPM would give it. */
export interface SoftwareKey {
  readonly privateKey: KeyObject;
  readonly area: PublicArea;
}

/** The template with this key in its unique field. */
export function softwareKey(privateKey: KeyObject, template: Uint8Array): SoftwareKey {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const part = (text: string | undefined) => sized(Buffer.from(text ?? '', 'base64url'));
  const unique = jwk.kty === 'RSA' ? [part(jwk.n)] : [part(jwk.x), part(jwk.y)];
  const area = Buffer.concat([template.subarray(0, uniqueOffset(template)), ...unique]);
  return { privateKey, area: readPublicArea(area) };
}

/** The template with other attributes. */
export function withAttributes(template: Uint8Array, change: (attributes: number) => number): Uint8Array {
  const changed = Buffer.from(template);
  changed.writeUInt32BE(change(changed.readUInt32BE(4)), 4);
  return changed;
}

function uniqueOffset(template: Uint8Array): number {
  const reader = new TpmReader(template);
  const type = reader.u16('type');
  reader.bytes(6, 'name algorithm and attributes');
  reader.sized('policy');
  if (reader.u16('symmetric') !== ALG.null) reader.bytes(4, 'bits and mode');
  if (reader.u16('scheme') !== ALG.null) reader.bytes(2, 'digest');
  reader.bytes(type === ALG.rsa ? 6 : 4, 'bits and exponent, or curve and derivation');
  return template.length - reader.rest().length;
}

/** TPMS_ATTEST that certifies a name. */
export function certificationOf(name: Uint8Array, magic = 0xff544347, type = 0x8017): Uint8Array {
  const qualified = sized(u16(ALG.sha256), Buffer.alloc(32, 1));
  const body = [qualified, sized(), Buffer.alloc(25), sized(name), qualified];
  return Buffer.concat([u32(magic), u16(type), ...body]);
}

/** TPMT_SIGNATURE by the key's own scheme. */
export function tpmSignature({ privateKey, area }: SoftwareKey, data: Uint8Array): Uint8Array {
  const algorithm = area.scheme?.algorithm ?? (area.type === 'rsa' ? ALG.rsassa : ALG.ecdsa);
  const head = Buffer.concat([u16(algorithm), u16(ALG.sha256)]);
  if (algorithm === ALG.ecdsa) {
    const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const half = signature.length / 2;
    return Buffer.concat([head, sized(signature.subarray(0, half)), sized(signature.subarray(half))]);
  }
  const padding = algorithm === ALG.rsapss ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  return Buffer.concat([head, sized(sign('sha256', data, { key: privateKey, padding, saltLength: 32 }))]);
}

/** What TPM2_ActivateCredential does; undefined if the credential was made for other keys. */
export function activate(
  endorsement: SoftwareKey,
  name: Uint8Array,
  blob: Uint8Array,
  encryptedSeed: Uint8Array,
): Uint8Array | undefined {
  const { nameHash, aesBits = 0 } = endorsement.area;
  const reader = new TpmReader(blob);
  const integrity = reader.sized('integrity');
  const identity = reader.rest();
  const seed = seedOf(endorsement, encryptedSeed);
  const macKey = kdfa(nameHash, seed, 'INTEGRITY', new Uint8Array(), nameHash.size * 8);
  if (!createHmac(nameHash.name, macKey).update(identity).update(name).digest().equals(integrity)) return undefined;
  const key = kdfa(nameHash, seed, 'STORAGE', name, aesBits);
  const decipher = createDecipheriv(`aes-${aesBits}-cfb`, key, Buffer.alloc(16));
  return new TpmReader(Buffer.concat([decipher.update(identity), decipher.final()])).sized('secret');
}

function seedOf({ privateKey, area }: SoftwareKey, encrypted: Uint8Array): Uint8Array {
  const { nameHash } = area;
  if (area.type === 'rsa') {
    const oaepLabel = Buffer.from('IDENTITY\0');
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    return privateDecrypt({ key: privateKey, padding, oaepHash: nameHash.name, oaepLabel }, encrypted);
  }
  const reader = new TpmReader(encrypted);
  const [x, y] = [reader.sized('x'), reader.sized('y')].map((bytes) => Buffer.from(bytes).toString('base64url'));
  const own = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicKey = createPublicKey({
    key: { kty: 'EC', crv: own.crv, x, y } as Record<string, string>,
    format: 'jwk',
  });
  const parties = [x, own.x].map((text) => Buffer.from(text ?? '', 'base64url')) as [Buffer, Buffer];
  return kdfe(nameHash, diffieHellman({ privateKey, publicKey }), 'IDENTITY', parties, nameHash.size * 8);
}
