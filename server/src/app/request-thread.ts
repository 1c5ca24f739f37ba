// The program of a thread that reads signing requests for `RequestReader`. It holds no key and no state.
import { parentPort } from 'node:worker_threads';
import { type RequestKey, requestKey } from './request-key.ts';

/** Requests one behind another, and where each ends: one block is handed over, not many copied. */
export interface RequestBlock {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
}

const readAll = ({ bytes, ends }: RequestBlock): RequestKey[] =>
  ends.map((end, index) => {
    const key = requestKey(bytes.subarray(ends[index - 1] ?? 0, end));
    // A view into the block would take the whole block along.
    return 'spki' in key ? { spki: new Uint8Array(key.spki) } : key;
  });

parentPort?.on('message', (block: RequestBlock) => parentPort?.postMessage(readAll(block)));
parentPort?.postMessage('ready');
