import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { IssuerError } from '@steeple/core';

const CHUNK_BYTES = 256 * 1024;
const MAX_CACHED = 512;
/** Files read at the same time, and waiting: whoever starts many large ones takes no more than that from the others. */
const MAX_READING = 4;
const MAX_WAITING = 60;

/** SHA-256 of files, remembered as long as nothing about a file changed. */
export class FileDigests {
  readonly #digests = new Map<string, Promise<string>>();
  readonly #waiting: (() => void)[] = [];
  #reading = 0;

  /**
   * Lower-case hex. Reads in pieces, so that other work goes on between them; the same file is read once for all who ask
   * at the same time. Closes the file.
   *
   * @throws {IssuerError} `internal` if the file changes while it is read, or cannot be read; `resource-exhausted` if too many
   *   wait to be read.
   */
  async digest(file: FileHandle, stats: BigIntStats): Promise<string> {
    const identity = identityOf(stats);
    const known = this.#digests.get(identity);
    if (known !== undefined) {
      await file.close();
      // Moved to the end, so that the one unused for longest goes first.
      this.#digests.delete(identity);
      this.#digests.set(identity, known);
      return await known;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      await file.close();
      throw new IssuerError('resource-exhausted', 'too many executables wait to be read');
    }
    const digest = this.#inTurn(() => compute(file, identity));
    this.#digests.set(identity, digest);
    this.#trim();
    try {
      return await digest;
    } catch (error) {
      this.#digests.delete(identity);
      throw error;
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#reading >= MAX_READING) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reading++;
    try {
      return await work();
    } finally {
      // The place passes to the next one.
      const next = this.#waiting.shift();
      if (next === undefined) this.#reading--;
      else next();
    }
  }

  #trim(): void {
    for (const identity of this.#digests.keys()) {
      if (this.#digests.size <= MAX_CACHED) return;
      this.#digests.delete(identity);
    }
  }
}

async function compute(file: FileHandle, identity: string): Promise<string> {
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let position = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    if (identityOf(await file.stat({ bigint: true })) === identity) return hash.digest('hex');
  } catch (cause) {
    throw new IssuerError('internal', 'the executable cannot be read', { cause });
  } finally {
    await file.close();
  }
  throw new IssuerError('internal', 'the executable changed while it was read');
}

/** The change time is among them because, unlike the modification time, its owner cannot set it. */
function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
