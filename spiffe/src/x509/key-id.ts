import { hash } from 'node:crypto';
import { subjectPublicKeyBits } from '../keys/spki.ts';

/**
 * Key identifier of a public key: SHA-1 over its bits (RFC 5280 section 4.2.1.2, method 1). It is a name, no protection.
 *
 * @throws SpiffeError `malformed-der`
 */
export function keyIdOf(spki: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha1', subjectPublicKeyBits(spki), 'buffer'));
}
