import { describe, expect, it } from 'vitest';
import { turn } from '../testing/fixtures.ts';
import { merged } from './merged.ts';
import { Outbox } from './outbox.ts';

describe('merged', () => {
  it('gives the items of both as they come', async () => {
    const [a, b] = [new Outbox<number>(), new Outbox<string>()];
    const all = merged(a, b);
    a.send(1);
    expect((await all.next()).value).toEqual({ from: 'first', item: 1 });
    b.send('x');
    b.send('y');
    expect((await all.next()).value).toEqual({ from: 'second', item: 'x' });
    expect((await all.next()).value).toEqual({ from: 'second', item: 'y' });
    a.end();
    expect((await all.next()).value).toEqual({ from: 'first', ended: true });
    expect((await all.next()).done).toBe(true);
  });

  it('asks a source for no more than one item ahead', async () => {
    let asked = 0;
    async function* eager() {
      for (;;) yield ++asked;
    }
    const all = merged(eager(), new Outbox<never>());
    await all.next();
    await turn();
    await turn();
    expect(asked).toBe(1);
    await all.return();
  });

  it('fails with either, and lets go of the other', async () => {
    let left = false;
    async function* other() {
      try {
        yield 1;
        yield 2;
      } finally {
        left = true;
      }
    }
    const trouble = Promise.withResolvers<never>();
    const failing = { [Symbol.asyncIterator]: () => ({ next: () => trouble.promise }) };
    const all = merged(other(), failing);
    await all.next();
    trouble.reject(new Error('no'));
    await turn();
    await expect(all.next()).rejects.toThrow('no');
    await turn();
    expect(left).toBe(true);
  });
});
