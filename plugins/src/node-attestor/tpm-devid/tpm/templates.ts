import { ALG, ATTRIBUTE, CURVE_P256 } from './algorithms.ts';
import { sized, u16, u32 } from './bytes.ts';

const BOUND_HERE = ATTRIBUTE.fixedTpm | ATTRIBUTE.fixedParent | ATTRIBUTE.sensitiveDataOrigin | ATTRIBUTE.restricted;
const STORAGE = BOUND_HERE | ATTRIBUTE.decrypt;
const AES_128_CFB = Buffer.concat([u16(ALG.aes), u16(128), u16(ALG.cfb)]);
const NO_ALGORITHM = u16(ALG.null);
const NO_BYTES = new Uint8Array();

/** PolicySecret of the endorsement hierarchy (EK Credential Profile 2.0, section 2.1.5.3). */
const EK_POLICY = Buffer.from('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa', 'hex');

function area(type: number, attributes: number, policy: Uint8Array, ...parameters: Uint8Array[]): Uint8Array {
  return Buffer.concat([u16(type), u16(ALG.sha256), u32(attributes), sized(policy), ...parameters]);
}

function rsa2048(symmetric: Uint8Array, scheme: Uint8Array, unique: Uint8Array): Uint8Array {
  return Buffer.concat([symmetric, scheme, u16(2048), u32(0), sized(unique)]);
}

function p256(coordinates: Uint8Array): Uint8Array {
  const point = [sized(coordinates), sized(coordinates)];
  return Buffer.concat([AES_128_CFB, NO_ALGORITHM, u16(CURVE_P256), NO_ALGORITHM, ...point]);
}

const EK_ATTRIBUTES = STORAGE | ATTRIBUTE.adminWithPolicy;
const SRK_ATTRIBUTES = STORAGE | ATTRIBUTE.userWithAuth | ATTRIBUTE.noDictionaryAttack;

/** Endorsement keys, templates L-1 and L-2 of the EK Credential Profile 2.0: a TPM makes the same key each time. */
export const ENDORSEMENT_KEY = {
  rsa: area(ALG.rsa, EK_ATTRIBUTES, EK_POLICY, rsa2048(AES_128_CFB, NO_ALGORITHM, Buffer.alloc(256))),
  ecc: area(ALG.ecc, EK_ATTRIBUTES, EK_POLICY, p256(Buffer.alloc(32))),
};

/** Storage root keys with an empty unique field: the parents of DevID keys, by the kind of the DevID key. */
export const STORAGE_ROOT_KEY = {
  rsa: area(ALG.rsa, SRK_ATTRIBUTES, NO_BYTES, rsa2048(AES_128_CFB, NO_ALGORITHM, NO_BYTES)),
  ecc: area(ALG.ecc, SRK_ATTRIBUTES, NO_BYTES, p256(NO_BYTES)),
};

/** RSASSA with SHA-256 and restricted: it signs nothing but what the TPM says itself. */
export const ATTESTATION_KEY = area(
  ALG.rsa,
  BOUND_HERE | ATTRIBUTE.userWithAuth | ATTRIBUTE.sign,
  NO_BYTES,
  rsa2048(NO_ALGORITHM, Buffer.concat([u16(ALG.rsassa), u16(ALG.sha256)]), NO_BYTES),
);
