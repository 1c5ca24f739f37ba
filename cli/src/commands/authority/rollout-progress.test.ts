import { create } from '@bufbuild/protobuf';
import { rolloutV1 } from '@steeple/proto/steeple-api';
import { expect, it } from 'vitest';
import { RolloutWatch } from './rollout-progress.ts';

const holder = (path: string, more: Partial<rolloutV1.Holder>) =>
  create(rolloutV1.HolderSchema, { id: { trustDomain: 'a.test', path }, live: true, ...more } as never);
const at = (watch: RolloutWatch, now: number, ...holders: rolloutV1.Holder[]) => {
  const { done, waiting, silent } = watch.judge(holders, now);
  return { done: done.length, waiting: waiting.length, silent: silent.length };
};

it('believes an agent that says it is done, and no other that ever said so', () => {
  const watch = new RolloutWatch(7n, 'bad');
  const ours = { sentSequenceNumber: 9n, authorityId: 'good' };
  expect(at(watch, 0, holder('/a', { ...ours, reportedSequenceNumber: 7n }))).toMatchObject({ done: 1 });
  expect(at(watch, 0, holder('/b', { ...ours, reportedSequenceNumber: 6n }))).toMatchObject({ waiting: 1 });
  expect(at(watch, 999, holder('/b', { ...ours, reportedSequenceNumber: 6n }))).toMatchObject({ waiting: 1 });
});

it('gives an agent of SPIRE time to replace what it holds, once it has the bundle and a certificate of another authority', () => {
  const watch = new RolloutWatch(7n, 'bad');
  const theirs = (sent: bigint, authorityId: string) =>
    holder('/spire/agent/a', { sentSequenceNumber: sent, authorityId });
  expect(at(watch, 0, theirs(6n, 'good'))).toMatchObject({ waiting: 1 });
  expect(at(watch, 100, theirs(7n, 'bad'))).toMatchObject({ waiting: 1 });
  expect(at(watch, 200, theirs(7n, 'good'))).toMatchObject({ waiting: 1 });
  expect(at(watch, 214, theirs(7n, 'good'))).toMatchObject({ waiting: 1 });
  expect(at(watch, 215, theirs(7n, 'good'))).toMatchObject({ done: 1 });
});

it('gives a server below more, for what is below it', () => {
  const watch = new RolloutWatch(7n, undefined);
  const below = holder('/site-a', { sentSequenceNumber: 7n });
  expect(at(watch, 0, below)).toMatchObject({ waiting: 1 });
  expect(at(watch, 59, below)).toMatchObject({ waiting: 1 });
  expect(at(watch, 60, below)).toMatchObject({ done: 1 });
});

it('starts again with one that falls back', () => {
  const watch = new RolloutWatch(7n, 'bad');
  const theirs = (authorityId: string) => holder('/a', { sentSequenceNumber: 7n, authorityId });
  at(watch, 0, theirs('good'));
  at(watch, 10, theirs('bad'));
  expect(at(watch, 20, theirs('good'))).toMatchObject({ waiting: 1 });
});

it('tells the silent from those under way', () => {
  const watch = new RolloutWatch(7n, undefined);
  expect(at(watch, 0, holder('/a', { live: false }), holder('/b', {}))).toEqual({ done: 0, waiting: 1, silent: 1 });
});
