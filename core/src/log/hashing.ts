/** SHA-256 over the parts one after the other; this room has no cryptography of its own. */
export type Sha256 = (...parts: readonly Uint8Array[]) => Uint8Array;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** RFC 6962, section 2.1: leaves and inner nodes are told apart by their first byte. */
export const leafHash = (sha256: Sha256, data: Uint8Array): Uint8Array => sha256(LEAF, data);

export const nodeHash = (sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array => sha256(NODE, left, right);

export const emptyRoot = (sha256: Sha256): Uint8Array => sha256();

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
