import { FakeClock } from '@steeple/test-kit';
import { describe, expect, it } from 'vitest';
import { WakeUp } from './wake-up.ts';

const forever = () => new AbortController().signal;

describe('WakeUp', () => {
  it('naps so long, or until the next nudge', async () => {
    const clock = new FakeClock();
    const wake = new WakeUp(clock);
    const nap = wake.nap(10, forever());
    await clock.advance(10);
    await nap;
    const second = wake.nap(10, forever());
    wake.nudge();
    await second;
  });

  it('does not lose a nudge between two naps, but takes it for one nap only', async () => {
    const clock = new FakeClock();
    const wake = new WakeUp(clock);
    wake.nudge();
    wake.nudge();
    await wake.nap(3600, forever());
    let over = false;
    const next = wake.nap(10, forever()).then(() => (over = true));
    await clock.advance(9);
    expect(over).toBe(false);
    await clock.advance(1);
    await next;
  });

  it('returns when it is told to stop, and leaves nothing on the signal', async () => {
    const stop = new AbortController();
    const wake = new WakeUp(new FakeClock());
    const nap = wake.nap(3600, stop.signal);
    stop.abort();
    await nap;
    await wake.nap(3600, stop.signal);
    wake.nudge();
    await wake.nap(3600, forever());
  });
});
