import type { Readable, Writable } from 'node:stream';
import type { OrOver } from './abort.ts';

/** Messages as they are taken: nothing is read from the stream ahead of the reader beyond the stream's own buffer. */
export async function* messagesOf<T>(stream: Readable, orOver: OrOver): AsyncGenerator<T, void, undefined> {
  // A reader that stops early must not destroy the stream: a duplex call still writes.
  const messages = stream.iterator({ destroyOnReturn: false });
  for (;;) {
    const next = (await orOver(messages.next())) as IteratorResult<T, undefined>;
    if (next.done === true) return;
    yield next.value;
  }
}

/**
 * Writes each value and asks for the next one only when the transport has taken the last: a slow reader stops the
 * source instead of filling memory. When the call is over the source is told to finish, but not waited for.
 */
export async function pump<T>(
  source: AsyncIterable<T>,
  sink: Writable,
  encode: (value: T) => unknown,
  orOver: OrOver,
): Promise<void> {
  const values = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orOver(values.next());
      if (next.done === true) return;
      await orOver(written(sink, encode(next.value)));
    }
  } finally {
    Promise.resolve(values.return?.()).catch(() => {});
  }
}

function written(sink: Writable, chunk: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(chunk, (error) => (error == null ? resolve() : reject(error)));
  });
}
