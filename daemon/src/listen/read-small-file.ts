import { closeSync, openSync, readSync } from 'node:fs';

const SPACE = Buffer.alloc(4096);

/**
 * The content of a small file below `/proc`, as Latin-1. Such files say that they are empty, so Node would take 64 KiB to
 * read one.
 *
 * @param limit - bytes; what comes after them is not read
 */
export function readSmallFile(path: string, limit = Number.POSITIVE_INFINITY): string {
  const file = openSync(path, 'r');
  try {
    let text = '';
    for (let read = readSync(file, SPACE); read > 0; read = readSync(file, SPACE)) {
      text += SPACE.toString('latin1', 0, read);
      if (text.length >= limit) return text.slice(0, limit);
    }
    return text;
  } finally {
    closeSync(file);
  }
}
