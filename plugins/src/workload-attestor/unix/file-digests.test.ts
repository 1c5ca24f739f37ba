import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileDigests } from './file-digests.ts';

const directory = mkdtempSync(join(tmpdir(), 'steeple-digests-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;

function file(content: string): string {
  const path = join(directory, String(++count));
  writeFileSync(path, content);
  return path;
}

async function digest(digests: FileDigests, path: string, watch?: (handle: FileHandle) => void): Promise<string> {
  const handle = await open(path, 'r');
  watch?.(handle);
  return await digests.digest(handle, await handle.stat({ bigint: true }));
}

const expected = (text: string) => createHash('sha256').update(text).digest('hex');

describe('file digests', () => {
  it('are right, also for empty files and those of many pieces', async () => {
    const digests = new FileDigests();
    for (const text of ['', 'a', 'x'.repeat(256 * 1024), 'y'.repeat(600_001)]) {
      expect(await digest(digests, file(text))).toBe(expected(text));
    }
  });

  it('are computed once while the file stays the same', async () => {
    const digests = new FileDigests();
    const path = file('content');
    let reads = 0;
    const counting = (handle: FileHandle) => {
      const read = handle.read.bind(handle);
      handle.read = ((...args: Parameters<typeof read>) => {
        reads++;
        return read(...args);
      }) as typeof handle.read;
    };
    const together = await Promise.all([1, 2, 3].map(() => digest(digests, path, counting)));
    const once = reads;
    expect(new Set([...together, await digest(digests, path, counting)])).toEqual(new Set([expected('content')]));
    expect(reads).toBe(once);
  });

  it('follow the content even if size and modification time are put back', async () => {
    const digests = new FileDigests();
    const path = file('good');
    // Whole seconds, which can be put back exactly.
    utimesSync(path, 1000, 1000);
    expect(await digest(digests, path)).toBe(expected('good'));
    writeFileSync(path, 'evil');
    utimesSync(path, 1000, 1000);
    expect(statSync(path).mtimeMs).toBe(1_000_000);
    expect(await digest(digests, path)).toBe(expected('evil'));
  });

  it('fail, and are not remembered, if the file changes meanwhile', async () => {
    const digests = new FileDigests();
    const path = file('first');
    const change = (handle: FileHandle) => {
      const read = handle.read.bind(handle);
      handle.read = ((...args: Parameters<typeof read>) => {
        appendFileSync(path, 'more');
        handle.read = read;
        return read(...args);
      }) as typeof handle.read;
    };
    await expect(digest(digests, path, change)).rejects.toMatchObject({ code: 'internal' });
    expect(await digest(digests, path)).toBe(expected('firstmore'));
  });

  it('close what they were given', async () => {
    const digests = new FileDigests();
    const path = file('x');
    const handles: FileHandle[] = [];
    for (let n = 0; n < 3; n++) await digest(digests, path, (handle) => handles.push(handle));
    expect(handles.map(({ fd }) => fd)).toEqual([-1, -1, -1]);
  });

  it('are made of a few files at a time; too many are refused, and closed', async () => {
    const digests = new FileDigests();
    const gate = Promise.withResolvers<void>();
    let reading = 0;
    const handles: FileHandle[] = [];
    const held = (handle: FileHandle) => {
      handles.push(handle);
      const read = handle.read.bind(handle);
      handle.read = (async (...args: Parameters<typeof read>) => {
        if ((args as unknown[])[3] === 0) reading++;
        await gate.promise;
        return read(...args);
      }) as typeof handle.read;
    };
    const asked = Array.from({ length: 70 }, (_, index) => digest(digests, file(`file ${index}`), held));
    const settled = Promise.allSettled(asked);
    await expect.poll(() => handles.filter(({ fd }) => fd === -1).length).toBe(6);
    expect(reading).toBe(4);
    gate.resolve();
    const outcomes = await settled;
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => (reason as { code?: string }).code)).toEqual(
      Array.from({ length: 6 }, () => 'resource-exhausted'),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(64);
    expect(handles.every(({ fd }) => fd === -1)).toBe(true);
    expect(await digest(digests, file('after'))).toBe(expected('after'));
  });
});
