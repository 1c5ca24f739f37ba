const SLAB_BYTES = 16 * 1024;
/** V8 keeps arrays up to this size in its own heap, where they cost next to nothing. */
const SMALL = 64;
const LARGE = 2048;

let slab = new ArrayBuffer(SLAB_BYTES);
let used = 0;

/**
 * A fresh array of zeros for a piece of DER that is soon copied into a larger one. Middle sizes are cut from one block:
 * memory of their own costs each of them a µs, and the garbage collector as much again.
 */
export function room(length: number): Uint8Array {
  if (length <= SMALL || length > LARGE) return new Uint8Array(length);
  if (used + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const piece = new Uint8Array(slab, used, length);
  used += length;
  return piece;
}
