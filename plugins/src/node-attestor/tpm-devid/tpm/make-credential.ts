import {
  constants,
  createCipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
} from 'node:crypto';
import { sized, TpmFormatError } from './bytes.ts';
import { kdfa, kdfe } from './key-derivation.ts';
import type { PublicArea } from './public-area.ts';

/** A secret that only one TPM reveals, and only for one key loaded in it. */
export interface Credential {
  /** TPMS_ID_OBJECT: integrity value and encrypted secret. */
  readonly blob: Uint8Array;
  /** The seed for the protection, encrypted to the endorsement key. */
  readonly encryptedSeed: Uint8Array;
}

interface Seed {
  readonly seed: Uint8Array;
  readonly encrypted: Uint8Array;
}

/**
 * What TPM2_MakeCredential does (TPM 2.0 library part 1, section 24), in software: the TPM that holds `endorsementKey`
 * gives `secret` away only if it also holds the key called `name`.
 *
 * @throws {TpmFormatError} if the endorsement key protects nothing, or cannot take so long a secret
 */
export function makeCredential(
  endorsementKey: PublicArea,
  name: Uint8Array,
  secret: Uint8Array,
  random: (bytes: number) => Uint8Array,
): Credential {
  const { aesBits, nameHash } = endorsementKey;
  if (aesBits === undefined) throw new TpmFormatError('the endorsement key names no symmetric algorithm');
  if (secret.length > nameHash.size) throw new TpmFormatError('the secret is longer than a digest');
  const { seed, encrypted } =
    endorsementKey.type === 'rsa' ? rsaSeed(endorsementKey, random) : ecdhSeed(endorsementKey);
  const aesKey = kdfa(nameHash, seed, 'STORAGE', name, aesBits);
  const cipher = createCipheriv(`aes-${aesBits}-cfb`, aesKey, Buffer.alloc(16));
  const identity = Buffer.concat([cipher.update(sized(secret)), cipher.final()]);
  const macKey = kdfa(nameHash, seed, 'INTEGRITY', new Uint8Array(), nameHash.size * 8);
  const integrity = createHmac(nameHash.name, macKey).update(identity).update(name).digest();
  return { blob: Buffer.concat([sized(integrity), identity]), encryptedSeed: encrypted };
}

/** Appendix B.10.4: a random seed of the digest's size under OAEP. */
function rsaSeed({ key, nameHash }: PublicArea, random: (bytes: number) => Uint8Array): Seed {
  const seed = random(nameHash.size);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encrypted = publicEncrypt(
    { key, padding, oaepHash: nameHash.name, oaepLabel: Buffer.from('IDENTITY\0') },
    seed,
  );
  return { seed, encrypted };
}

/** Appendix C.6.4: the seed is derived from an ephemeral key, whose point is sent. */
function ecdhSeed({ key, nameHash }: PublicArea): Seed {
  const namedCurve = key.asymmetricKeyDetails?.namedCurve ?? '';
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  const point = createPublicKey(privateKey).export({ format: 'jwk' });
  const [x, y] = [point.x, point.y].map((value) => Buffer.from(value ?? '', 'base64url')) as [Buffer, Buffer];
  const peerX = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
  const secret = diffieHellman({ privateKey, publicKey: key });
  const seed = kdfe(nameHash, secret, 'IDENTITY', [x, peerX], nameHash.size * 8);
  return { seed, encrypted: Buffer.concat([sized(x), sized(y)]) };
}
