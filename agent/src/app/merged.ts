/** What the next item of two sources is: an item of one, or the end of one. */
export type Merged<A, B> =
  | { readonly from: 'first'; readonly item: A }
  | { readonly from: 'second'; readonly item: B }
  | { readonly from: 'first' | 'second'; readonly ended: true };

/**
 * The items of two sources in the order in which they come. A source is asked for its next item only when its last one
 * was taken. Ends after the end of either; fails when either does.
 */
export async function* merged<A, B>(
  first: AsyncIterable<A>,
  second: AsyncIterable<B>,
): AsyncGenerator<Merged<A, B>, void, undefined> {
  type Arrived = { readonly from: 'first' | 'second'; readonly result: IteratorResult<A | B> } | { error: unknown };
  const sources = { first: first[Symbol.asyncIterator](), second: second[Symbol.asyncIterator]() };
  const arrived: Arrived[] = [];
  let wake: (() => void) | undefined;
  // Not Promise.race: each race would hang one more reaction on the promise of the quiet source.
  const ask = (from: 'first' | 'second') => {
    const note = (what: Arrived) => {
      arrived.push(what);
      wake?.();
    };
    sources[from].next().then(
      (result) => note({ from, result }),
      (error: unknown) => note({ error }),
    );
  };
  try {
    ask('first');
    ask('second');
    for (;;) {
      const next = arrived.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
        continue;
      }
      if ('error' in next) throw next.error;
      if (next.result.done === true) {
        yield { from: next.from, ended: true };
        return;
      }
      yield { from: next.from, item: next.result.value } as Merged<A, B>;
      ask(next.from);
    }
  } finally {
    // Not awaited: a source that waits for something ends when its own signal aborts.
    for (const source of Object.values(sources)) Promise.resolve(source.return?.()).catch(() => {});
  }
}
