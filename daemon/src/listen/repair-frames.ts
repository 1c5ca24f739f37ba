import { repairBlock } from './repair-block.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const frameHeader = 9;
/** What a server that announced nothing else must accept, RFC 9113 section 4.2. Larger frames are refused anyway. */
const longestFrame = 16_384;
/** Longest header block collected over CONTINUATION frames; HTTP/2 refuses far shorter ones. */
const longestBlock = 128 * 1024;

const HEADERS = 1;
const CONTINUATION = 9;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;

/**
 * Passes on what an HTTP/2 client sends and repairs its header blocks on the way, in place.
 *
 * A header block is held back until it is complete; all other frames pass at once, in whatever pieces they come.
 * What is no HTTP/2 passes untouched, and from then on everything does: the real parser judges it.
 */
export class FrameRepair {
  readonly #emit: (bytes: Uint8Array) => void;
  /** Bytes not yet understood. */
  #pending = Buffer.from([]);
  /** Payload bytes of a frame that passes unread. */
  #skip = 0;
  #prefaceSeen = false;
  #givenUp = false;
  /** Frames of a header block that has not ended. */
  #held: Buffer[] = [];
  #heldStream = 0;
  #heldBytes = 0;

  constructor(emit: (bytes: Uint8Array) => void) {
    this.#emit = emit;
  }

  feed(chunk: Uint8Array): void {
    // A copy: the repair writes into it, and the chunk may share memory with others.
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (!this.#givenUp && this.#step());
    if (this.#givenUp) this.#pass(this.#pending.length);
  }

  /** The client sends no more: what was held back goes on as it is. */
  finish(): void {
    this.#giveUp();
    this.#pass(this.#pending.length);
  }

  /** Handles one frame or part of one; false when more bytes are needed. */
  #step(): boolean {
    if (!this.#prefaceSeen) return this.#readPreface();
    if (this.#skip > 0) {
      const length = Math.min(this.#skip, this.#pending.length);
      this.#skip -= length;
      this.#pass(length);
      return length > 0;
    }
    if (this.#pending.length < frameHeader) return false;
    const type = this.#pending.readUInt8(3);
    const length = this.#pending.readUIntBE(0, 3);
    const stream = this.#pending.readUInt32BE(5) & 0x7fffffff;
    const continues = this.#held.length > 0;
    // Only the next part of a begun header block may follow it.
    if (continues !== (type === CONTINUATION) || (continues && stream !== this.#heldStream)) return this.#giveUp();
    if (type !== HEADERS && type !== CONTINUATION) {
      this.#skip = length;
      this.#pass(frameHeader);
      return true;
    }
    if (length > longestFrame) return this.#giveUp();
    if (this.#pending.length < frameHeader + length) return false;
    this.#hold(frameHeader + length, stream);
    return true;
  }

  #readPreface(): boolean {
    const seen = this.#pending.subarray(0, preface.length);
    if (!seen.equals(preface.subarray(0, seen.length))) return this.#giveUp();
    if (seen.length < preface.length) return false;
    this.#prefaceSeen = true;
    this.#pass(preface.length);
    return true;
  }

  #hold(length: number, stream: number): void {
    const frame = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    this.#held.push(frame);
    this.#heldBytes += length;
    this.#heldStream = stream;
    if ((frame.readUInt8(4) & END_HEADERS) !== 0) this.#release();
    else if (this.#heldBytes > longestBlock) this.#giveUp();
  }

  /** Repairs the collected block and sends its frames on. */
  #release(): void {
    const fragments = this.#held.map(fragmentOf);
    const block = Buffer.concat(fragments);
    repairBlock(block);
    let at = 0;
    for (const fragment of fragments) at += block.copy(fragment, 0, at, at + fragment.length);
    this.#flushHeld();
  }

  #giveUp(): boolean {
    this.#givenUp = true;
    this.#flushHeld();
    return false;
  }

  #flushHeld(): void {
    for (const frame of this.#held) this.#emit(frame);
    this.#held = [];
    this.#heldBytes = 0;
  }

  #pass(length: number): void {
    if (length === 0) return;
    this.#emit(this.#pending.subarray(0, length));
    this.#pending = this.#pending.subarray(length);
  }
}

/** The part of a frame that belongs to the header block, RFC 9113 sections 6.2 and 6.10; empty when malformed. */
function fragmentOf(frame: Buffer): Buffer {
  const flags = frame.readUInt8(3) === HEADERS ? frame.readUInt8(4) : 0;
  const padding = (flags & PADDED) !== 0 ? 1 : 0;
  const start = frameHeader + padding + ((flags & PRIORITY) !== 0 ? 5 : 0);
  const end = frame.length - (padding === 1 && frame.length > frameHeader ? frame.readUInt8(frameHeader) : 0);
  return frame.subarray(Math.min(start, frame.length), Math.max(Math.min(start, frame.length), end));
}
