import { generateKey, localSigner, makeCsr } from '@steeple/spiffe';
import { afterEach, describe, expect, it } from 'vitest';
import { requestKey } from './request-key.ts';
import { RequestReader } from './request-reader.ts';
import { RequestWorker } from './request-worker.ts';

const good = new Uint8Array(await makeCsr(localSigner(generateKey('ec-p256')), {}));
const other = new Uint8Array(await makeCsr(localSigner(generateKey('ec-p384')), {}));
const unproven = Uint8Array.from(good, (octet, index) => (index === good.length - 1 ? octet ^ 1 : octet));
const kinds = [good, other, unproven, new Uint8Array(), good.subarray(3), Uint8Array.of(0x30)];
const mixed = (count: number) => Array.from({ length: count }, (_, index) => kinds[(index * 5) % kinds.length] ?? good);

const readers: RequestReader[] = [];
const reader = (threads: number): RequestReader => {
  const made = new RequestReader(threads);
  readers.push(made);
  return made;
};
afterEach(async () => {
  for (const one of readers.splice(0)) await one.close();
});
const readAll = async (from: RequestReader, requests: readonly Uint8Array[]) => {
  const keyAt = from.batch(requests);
  const keys = [];
  for (const index of requests.keys()) keys.push(await keyAt(index));
  return keys;
};
const once = () => {
  let happened = (): void => {};
  const promise = new Promise<void>((resolve) => {
    happened = resolve;
  });
  return { promise, happened };
};

describe('a batch of requests', () => {
  it.each([0, 1, 3])('is read in order whoever reads it, with %i threads', async (threads) => {
    const from = reader(threads);
    for (const count of [1, 7, 8, 9, 50]) {
      expect(await readAll(from, mixed(count))).toEqual(mixed(count).map(requestKey));
    }
    const calls = await Promise.all([50, 33, 64].map((count) => readAll(from, mixed(count))));
    expect(calls).toEqual([50, 33, 64].map((count) => mixed(count).map(requestKey)));
  });

  it('that nobody asks for any more disturbs no other', async () => {
    const from = reader(1);
    from.batch(mixed(100));
    expect(await readAll(from, mixed(20))).toEqual(mixed(20).map(requestKey));
  });

  it('is read also when the threads have been ended', async () => {
    const from = reader(2);
    const keyAt = from.batch(mixed(80));
    const first = await keyAt(0);
    await from.close();
    const rest = await Promise.all(Array.from({ length: 79 }, (_, index) => keyAt(index + 1)));
    expect([first, ...rest]).toEqual(mixed(80).map(requestKey));
    expect(await readAll(from, mixed(20))).toEqual(mixed(20).map(requestKey));
  });
});

describe('a thread', () => {
  it('answers block after block, and fails what it had when it ends, and all that comes later', async () => {
    const [ready, gone] = [once(), once()];
    const worker = new RequestWorker({ ready: ready.happened, gone: gone.happened });
    await ready.promise;
    const answers = await Promise.all([worker.read([good]), worker.read(mixed(8)), worker.read([unproven])]);
    expect(answers).toEqual([[good], mixed(8), [unproven]].map((block) => block.map(requestKey)));
    const lost = [worker.read(mixed(8)), worker.read(mixed(8))].map((read) => read.catch((error: unknown) => error));
    await worker.close();
    for (const error of await Promise.all(lost)) expect(error).toBeInstanceOf(Error);
    await gone.promise;
    await expect(worker.read([good])).rejects.toThrow('the thread has ended');
  });
});
