import { Code, type ErrorCode, GrpcError, retryInfo } from '@steeple/proto/grpc';
import { describe, expect, it } from 'vitest';
import type { ClientRim } from '../rim.ts';
import { type WatchEvent, watch } from './watch.ts';

type Step =
  | { readonly say: string }
  | { readonly live: number }
  | { readonly end: ErrorCode | 'OK'; readonly retryIn?: number };

/** Runs a watch over scripted streams, one per connection; the last one stays open. */
async function run(script: readonly (readonly Step[])[]) {
  const controller = new AbortController();
  const pauses: number[] = [];
  let time = 0;
  let opened = 0;
  const rim: ClientRim = {
    now: () => time,
    monotonic: () => time,
    random: () => 0.5,
    sleep: async (seconds) => {
      pauses.push(seconds);
      time += seconds;
    },
  };
  async function* open(signal: AbortSignal): AsyncGenerator<string> {
    const steps = script[opened];
    opened += 1;
    for (const step of steps ?? []) {
      if ('say' in step) yield step.say;
      else if ('live' in step) time += step.live;
      else if (step.end === 'OK') return;
      else if (step.retryIn === undefined) throw new GrpcError(step.end, `status ${step.end}`);
      else throw GrpcError.of(step.end, 'not now', retryInfo(step.retryIn));
    }
    controller.abort();
    signal.throwIfAborted();
  }
  const read = (message: string) => {
    if (message.startsWith('bad')) throw new Error(message);
    return message.toUpperCase();
  };
  const events: string[] = [];
  let failure: unknown;
  try {
    for await (const event of watch(open, read, rim, controller.signal)) events.push(summary(event));
  } catch (error) {
    failure = error;
  }
  return { events, pauses: pauses.map((pause) => Number(pause.toFixed(3))), opened, failure };
}

function summary(event: WatchEvent<string>): string {
  return event.kind === 'update' ? event.value : `${event.kind}: ${event.error.message}`;
}

const UNAVAILABLE: Step = { end: Code.UNAVAILABLE };

describe('watch', () => {
  it('reconnects at once when a healthy stream ends, whatever its status (WAPI-07)', async () => {
    const healthy = (end: Step): Step[] => [{ say: 'a' }, { live: 60 }, end];
    const { pauses, events, opened } = await run([
      healthy(UNAVAILABLE),
      healthy({ end: 'OK' }),
      healthy({ end: Code.CANCELLED }),
      healthy({ end: Code.INTERNAL }),
      [],
    ]);
    expect(pauses).toEqual([]);
    expect(opened).toBe(5);
    expect(events.filter((event) => event === 'A')).toHaveLength(4);
  });

  it('backs off after repeated failures, up to a limit', async () => {
    const { pauses } = await run([...Array.from({ length: 10 }, () => [UNAVAILABLE]), []]);
    expect(pauses).toEqual([0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, 2, 2]);
  });

  it('stays away as long as the agent says', async () => {
    const busy: Step = { end: Code.RESOURCE_EXHAUSTED, retryIn: 7 };
    const { pauses } = await run([[busy], [busy], [UNAVAILABLE], []]);
    expect(pauses).toEqual([7, 7, 0.2]);
  });

  it('starts over after a healthy stream', async () => {
    const failing = Array.from({ length: 4 }, () => [UNAVAILABLE]);
    const { pauses } = await run([...failing, [{ say: 'a' }, { live: 2 }, UNAVAILABLE], [UNAVAILABLE], []]);
    expect(pauses).toEqual([0.1, 0.2, 0.4, 0.1]);
  });

  it('does not spin on a server that answers and hangs up', async () => {
    const curt: Step[] = [{ say: 'a' }, UNAVAILABLE];
    const { pauses } = await run([curt, curt, curt, curt, []]);
    expect(pauses).toEqual([0.1, 0.2, 0.4]);
  });

  it('reports a broken message and keeps reading the same stream (WAPI-16)', async () => {
    const { events, opened } = await run([[{ say: 'a' }, { say: 'bad one' }, { say: 'c' }]]);
    expect(events).toEqual(['A', 'error: bad one', 'C']);
    expect(opened).toBe(1);
  });

  it('says withdrawn at PERMISSION_DENIED and asks again (WAPI-26, WAPI-27)', async () => {
    const { events } = await run([[{ say: 'a' }, { end: Code.PERMISSION_DENIED }], [{ say: 'b' }]]);
    expect(events).toEqual(['A', 'withdrawn: status 7', 'B']);
  });

  it.each([Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED])(
    'asks only once after status %i (WEP-17, WEP-24)',
    async (end) => {
      const { failure, opened, events } = await run([[{ end }], [{ say: 'never' }]]);
      expect(failure).toMatchObject({ code: end });
      expect([opened, events]).toEqual([1, []]);
    },
  );
});
