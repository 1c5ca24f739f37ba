import { Code, GrpcError, retryInfo } from '@steeple/proto/grpc';
import { FakeClock, MemoryLogger } from '@steeple/test-kit';
import { beforeEach, expect, it } from 'vitest';
import { turn } from '../testing/fixtures.ts';
import { Push } from './push.ts';
import type { PushEvent } from './server-api.ts';

let clock: FakeClock;
let streams: (() => AsyncIterable<PushEvent>)[];
let opened: number;
let heard: string[];
let abort: AbortController;

beforeEach(() => {
  clock = new FakeClock();
  [streams, opened, heard] = [[], 0, []];
  abort = new AbortController();
  return () => abort.abort();
});

function start(onServerError: (error: unknown) => Promise<void> = async () => {}) {
  const push = new Push({
    clock,
    random: () => 0.5,
    logger: new MemoryLogger(),
    onServerError,
    sync: { push: (changes) => void heard.push(...changes.removedEntryIds), nudge: () => void heard.push('nudge') },
    server: {
      watch: () => {
        opened++;
        return (streams.shift() ?? silence)();
      },
    },
  });
  return { push, done: push.run(abort.signal) };
}

async function* silence(): AsyncGenerator<PushEvent> {
  yield* [];
  await new Promise((resolve) => abort.signal.addEventListener('abort', resolve));
}

function failing(code: 12 | 14): () => AsyncIterable<PushEvent> {
  return async function* () {
    yield* [];
    throw GrpcError.of(code, 'no');
  };
}

it('asks for everything when ready and when something was lost, and passes changes on', async () => {
  streams = [
    async function* () {
      yield { kind: 'ready' };
      yield { kind: 'changes', entries: [], removedEntryIds: ['x'], bundles: [] };
      yield { kind: 'resync' };
      yield* silence();
    },
  ];
  const { push } = start();
  await turn();
  expect(heard).toEqual(['nudge', 'x', 'nudge']);
  expect(push.live).toBe(true);
});

it('does not bother a server that announces nothing', async () => {
  streams = [failing(Code.UNIMPLEMENTED)];
  start();
  await clock.settled();
  await clock.advance(599);
  expect(opened).toBe(1);
  await clock.advance(1);
  expect(opened).toBe(2);
});

it('backs off from a server that is away, and comes back at once after a stream that worked', async () => {
  streams = [
    failing(Code.UNAVAILABLE),
    failing(Code.UNAVAILABLE),
    async function* () {
      yield { kind: 'ready' };
    },
  ];
  const { push } = start();
  await clock.settled();
  expect(clock.untilNext).toBeCloseTo(0.2, 1);
  await clock.advance(0.21);
  expect(clock.untilNext).toBeCloseTo(0.4, 1);
  expect(heard).toEqual(['nudge']);
  await clock.advance(0.41);
  expect(heard).toEqual(['nudge', 'nudge']);
  expect(push.live).toBe(false);
  expect(clock.untilNext).toBeLessThan(0.2);
});

it('comes back no sooner than an overloaded server asked', async () => {
  streams = [
    async function* () {
      yield* [];
      throw GrpcError.of(Code.UNAVAILABLE, 'busy', retryInfo(12.5));
    },
  ];
  start();
  await clock.settled();
  expect(clock.untilNext).toBe(12.5);
});

it('ends with the error that makes the agent stop', async () => {
  streams = [failing(Code.UNAVAILABLE)];
  const { done } = start(async () => {
    throw new Error('banned');
  });
  await expect(done).rejects.toThrow('banned');
});
