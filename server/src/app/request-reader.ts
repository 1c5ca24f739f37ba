import { availableParallelism } from 'node:os';
import { type RequestKey, requestKey } from './request-key.ts';
import { RequestWorker } from './request-worker.ts';

/** Requests that are handed to a thread together: handing over one by one would cost a third of reading it. */
const BLOCK = 8;
/** Blocks a thread has at once, so that it is not idle while the main thread is busy signing. */
const DEPTH = 8;
/** More than this and signing, which stays on the main thread, is what others wait for. */
const MAX_THREADS = 3;
/** A thread that keeps ending is not started for ever. */
const MAX_FAILURES = 5;

interface Block {
  readonly requests: readonly Uint8Array[];
  /** Set once somebody reads it. */
  keys: Promise<RequestKey[]> | undefined;
}

/**
 * Reads the signing requests of batches, on other processors where there are any: checking the signature of a request is
 * the largest part of issuing a certificate. A free thread takes the next block that nobody reads; whoever needs a
 * block that none has taken reads it at once, so the work spreads itself and no answer waits for a thread that is busy or
 * has failed.
 */
export class RequestReader {
  readonly #limit: number;
  readonly #threads = new Set<RequestWorker>();
  /** Once for each block that a thread can take now. */
  #free: RequestWorker[] = [];
  readonly #untaken = new Set<Block>();
  #failures = 0;
  #closed = false;

  constructor(threads: number = Math.min(availableParallelism() - 1, MAX_THREADS)) {
    this.#limit = threads;
  }

  /** A batch of requests, of which the keys are then asked for by index, in order. */
  batch(requests: readonly Uint8Array[]): (index: number) => Promise<RequestKey> {
    const blocks = blocksOf(requests);
    if (blocks.length > 1) this.#start();
    if (blocks.length > 1 && this.#threads.size > 0) {
      // Threads begin at the end, the main thread at the beginning: neither waits for the other until they meet.
      for (const block of blocks.toReversed()) this.#untaken.add(block);
      this.#handOut();
    }
    return async (index) => {
      const block = blocks[Math.floor(index / BLOCK)];
      if (!block) throw new RangeError('no such request');
      block.keys ??= this.#readHere(block);
      return (await block.keys)[index % BLOCK] as RequestKey;
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#untaken.clear();
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  /** With the first batch, for a server without agents needs no threads. */
  #start(): void {
    while (!this.#closed && this.#threads.size < this.#limit && this.#failures < MAX_FAILURES) {
      const thread: RequestWorker = new RequestWorker({
        ready: () => {
          this.#free.push(...Array.from({ length: DEPTH }, () => thread));
          this.#handOut();
        },
        gone: () => {
          this.#failures += 1;
          this.#threads.delete(thread);
          this.#free = this.#free.filter((one) => one !== thread);
          if (this.#threads.size === 0) this.#untaken.clear();
        },
      });
      this.#threads.add(thread);
    }
  }

  #handOut(): void {
    for (const block of this.#untaken) {
      const thread = this.#free.shift();
      if (!thread) return;
      this.#untaken.delete(block);
      block.keys = thread.read(block.requests).then(
        (keys) => {
          this.#free.push(thread);
          this.#handOut();
          return keys;
        },
        () => this.#readHere(block),
      );
      // Its call may be over by then.
      block.keys.catch(() => undefined);
    }
  }

  async #readHere(block: Block): Promise<RequestKey[]> {
    this.#untaken.delete(block);
    return block.requests.map((request) => requestKey(request));
  }
}

const blocksOf = (requests: readonly Uint8Array[]): Block[] =>
  Array.from({ length: Math.ceil(requests.length / BLOCK) }, (_, index) => ({
    requests: requests.slice(index * BLOCK, (index + 1) * BLOCK),
    keys: undefined,
  }));
