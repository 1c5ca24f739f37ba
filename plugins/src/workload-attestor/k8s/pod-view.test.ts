import { FakeClock } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { PodList } from './pod-list.ts';
import { PodView } from './pod-view.ts';

const NONE = new PodList(Buffer.from('{"items":null}'), () => {});

function viewOf(list: () => Promise<PodList>) {
  const clock = new FakeClock();
  return { clock, view: new PodView({ list, clock, interval: 0.5 }) };
}

describe('the view of the pods', () => {
  it('asks one question for all who wait, and none for who is content with the last answer', async () => {
    let asked = 0;
    const { clock, view } = viewOf(async () => (asked++, NONE));
    const all = await Promise.all(Array.from({ length: 100 }, () => view.notOlderThan(0)));
    expect(asked).toBe(1);
    expect(new Set(all).size).toBe(1);
    await clock.advance(4);
    expect(await view.notOlderThan(5)).toBe(all[0]);
    expect(asked).toBe(1);
    await clock.advance(2);
    expect((await view.notOlderThan(5)).askedAt).toBe(6);
    expect(asked).toBe(2);
  });

  it('never gives an answer that is older than the question', async () => {
    const answers: ((list: PodList) => void)[] = [];
    const { clock, view } = viewOf(() => new Promise((resolve) => answers.push(resolve)));
    const first = view.notOlderThan(0);
    await clock.advance(2);
    const second = view.notOlderThan(0);
    answers[0]?.(NONE);
    expect((await first).askedAt).toBe(0);
    await clock.advance(0);
    answers[1]?.(NONE);
    expect((await second).askedAt).toBe(2);
  });

  it('leaves the kubelet in peace between two questions, also when it fails', async () => {
    let asked = 0;
    const { clock, view } = viewOf(async () => {
      asked++;
      throw new Error('down');
    });
    await expect(view.notOlderThan(0)).rejects.toThrow('down');
    const again = view.notOlderThan(0);
    again.catch(() => undefined);
    await clock.advance(0.4);
    expect(asked).toBe(1);
    await clock.advance(0.1);
    await expect(again).rejects.toThrow('down');
    expect(asked).toBe(2);
  });

  it('gives the next list, not the same again', async () => {
    const { clock, view } = viewOf(async () => NONE);
    const seen = await view.notOlderThan(1);
    const next = view.after(seen);
    await clock.advance(0.5);
    expect((await next).number).toBe(seen.number + 1);
  });
});
