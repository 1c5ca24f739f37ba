import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';

const ec = (namedCurve: string): KeyPairKeyObjectResult => generateKeyPairSync('ec', { namedCurve });
const rsa = (): KeyPairKeyObjectResult => generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Keys made once per test file, under the names that vector files use. */
export const TEST_KEYS = {
  p256: ec('P-256'),
  p384: ec('P-384'),
  p521: ec('P-521'),
  rsa: rsa(),
  wit: ec('P-256'),
  workload: ec('P-256'),
  workloadRsa: rsa(),
  stranger: ec('P-256'),
  secp256k1: ec('secp256k1'),
  ed25519: generateKeyPairSync('ed25519'),
} as const;

export type TestKey = keyof typeof TEST_KEYS;
