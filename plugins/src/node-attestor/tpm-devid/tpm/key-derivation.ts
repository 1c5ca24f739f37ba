import { createHash, createHmac } from 'node:crypto';
import type { TpmHash } from './algorithms.ts';
import { u32 } from './bytes.ts';

/** KDFa (TPM 2.0 library part 1, section 11.4.10.2): a key of so many bits, by HMAC in counter mode. */
export function kdfa(hash: TpmHash, key: Uint8Array, label: string, context: Uint8Array, bits: number): Uint8Array {
  const suffix = [Buffer.from(`${label}\0`), context, u32(bits)];
  return expand(bits, (counter) => {
    const mac = createHmac(hash.name, key).update(counter);
    for (const part of suffix) mac.update(part);
    return mac.digest();
  });
}

/** KDFe (section 11.4.10.3): a seed from a shared ECDH secret and the x coordinates of both sides. */
export function kdfe(
  hash: TpmHash,
  secret: Uint8Array,
  label: string,
  parties: readonly [Uint8Array, Uint8Array],
  bits: number,
): Uint8Array {
  return expand(bits, (counter) => {
    const digest = createHash(hash.name).update(counter).update(secret).update(`${label}\0`);
    for (const party of parties) digest.update(party);
    return digest.digest();
  });
}

function expand(bits: number, block: (counter: Uint8Array) => Uint8Array): Uint8Array {
  const length = bits / 8;
  const blocks: Uint8Array[] = [];
  for (let counter = 1, size = 0; size < length; counter += 1) {
    const next = block(u32(counter));
    blocks.push(next);
    size += next.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}
