import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { RequestKey } from './request-key.ts';
import type { RequestBlock } from './request-thread.ts';

/** Ample for a few requests at a time; a thread that needs more is ended, and its work done elsewhere. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

interface Waiting {
  readonly answered: (keys: RequestKey[]) => void;
  readonly failed: (error: Error) => void;
}

/** One thread that reads signing requests, a block at a time. It never keeps the process alive. */
export class RequestWorker {
  readonly #worker: Worker;
  /** In the order of the blocks it was given, which is that of its answers. */
  readonly #waiting: Waiting[] = [];
  #gone: Error | undefined;

  /** `ready` is called when it can read, `gone` when it never will again. */
  constructor(events: { readonly ready: () => void; readonly gone: () => void }) {
    const program = new URL(`./request-thread${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(program, { env: {}, resourceLimits: LIMITS });
    this.#worker.unref();
    this.#worker.on('message', (message: 'ready' | RequestKey[]) => {
      if (message === 'ready') events.ready();
      else this.#waiting.shift()?.answered(message);
    });
    const end = (error: Error): void => {
      if (this.#gone) return;
      this.#gone = error;
      for (const { failed } of this.#waiting.splice(0)) failed(error);
      events.gone();
    };
    this.#worker.on('error', (error) => end(error instanceof Error ? error : new Error('the thread failed')));
    this.#worker.on('exit', () => end(new Error('the thread has ended')));
  }

  /** Keys in the order of the requests. Rejects when the thread ends. */
  read(requests: readonly Uint8Array[]): Promise<RequestKey[]> {
    return new Promise((answered, failed) => {
      if (this.#gone) return failed(this.#gone);
      this.#waiting.push({ answered, failed });
      const block = blockOf(requests);
      this.#worker.postMessage(block, [block.bytes.buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

const blockOf = (requests: readonly Uint8Array[]): RequestBlock & { readonly bytes: Uint8Array<ArrayBuffer> } => {
  const bytes = new Uint8Array(requests.reduce((sum, { length }) => sum + length, 0));
  const ends: number[] = [];
  let end = 0;
  for (const request of requests) {
    bytes.set(request, end);
    end += request.length;
    ends.push(end);
  }
  return { bytes, ends };
};
